//! One component of the application, with what the manifest grants it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context as _;

use crate::allowed_hosts::AllowedHosts;
use crate::manifest;
use crate::variables::{Variables, check_name};

/// A component's grants, with every template rendered.
pub(crate) struct Component {
    pub(crate) name: Arc<str>,
    pub(crate) sqlite_databases: BTreeSet<String>,
    pub(crate) key_value_stores: BTreeSet<String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) allowed_hosts: AllowedHosts,
    pub(crate) variables: BTreeMap<String, String>,
}

impl Component {
    /// Renders a component's table of the manifest with the application's variables.
    ///
    /// # Errors
    /// A malformed variable name, a template that does not render, or a malformed entry of
    /// `allowed_outbound_hosts`.
    pub(crate) fn new(name: &str, table: &manifest::Component, values: &Variables) -> anyhow::Result<Self> {
        let build = || -> anyhow::Result<Self> {
            table.variables.keys().try_for_each(|name| check_name(name))?;
            let render = |(name, template): (&String, &String)| Ok((name.clone(), values.render(template)?));
            let hosts = table
                .allowed_outbound_hosts
                .iter()
                .map(|host| values.render(host));
            Ok(Self {
                name: name.into(),
                sqlite_databases: table.sqlite_databases.clone(),
                key_value_stores: table.key_value_stores.clone(),
                environment: table.environment.clone(),
                allowed_hosts: AllowedHosts::parse(&hosts.collect::<anyhow::Result<Vec<_>>>()?)?,
                variables: table
                    .variables
                    .iter()
                    .map(render)
                    .collect::<anyhow::Result<_>>()?,
            })
        };
        build().with_context(|| format!("the component {name:?}"))
    }
}
