//! `spin:variables@3.0.0` for components: a component reads the variables of its own table alone.

use wasmtime::component::Accessor;

use crate::bindings::spin::variables::variables::{Error, Host, HostWithStore};
use crate::instance::{Guest, GuestData};
use crate::variables::check_name;

impl Host for Guest {}

impl<T: Send + 'static> HostWithStore<T> for GuestData {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> Result<String, Error> {
        check_name(&name).map_err(|error| Error::InvalidName(error.to_string()))?;
        let component = accessor.with(|mut access| access.get().component.clone());
        component
            .variables
            .get(&name)
            .cloned()
            .ok_or_else(|| Error::Undefined(format!("no variable for {:?}.{name:?}", component.name)))
    }
}
