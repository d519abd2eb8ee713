//! Values that several operations of this component take.

use serde::Deserialize;
use utoipa::ToSchema;

/// 未了结的或全部 / those that are open, or all
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OpenOrAll {
    Open,
    All,
}
