//! The documentation of records: `operations::ingest` reads them line by line.

use utoipa::ToSchema;
use web::values::{Iccid, Instant, Megabytes, Msisdn};

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $kind:ty,)+ })+) => {$(
        $(#[$doc])*
        #[derive(ToSchema)]
        #[expect(dead_code, reason = "only its schema is used")]
        pub(crate) struct $name {
            /// 13 位物联网号码，与 iccid 二选一 / 13-digit IoT number; this or iccid
            msisdn: Option<Msisdn>,
            /// ICCID，与 msisdn 二选一 / ICCID; this or msisdn
            iccid: Option<Iccid>,
            /// 数据对应的时间，最多超前五分钟 / time to which the record applies, at most five minutes ahead
            as_of: Instant,
            $($(#[$attribute])* $field: $kind,)+
        }
    )+};
}

records! {
    /// Data of the month.
    UsageRecord {
        /// 本月套餐总量，亦可写作文本 / data of the month; as text too
        total_mb: Megabytes,
        /// 已使用流量，亦可写作文本 / used of it; as text too
        used_mb: Megabytes,
    }
    /// The city in which a number is online.
    LocationRecord {
        /// 城市 / city
        #[schema(max_length = 64, examples("济南"))]
        city: String,
    }
    /// The state of a number.
    StatusRecord {
        /// 运营商侧的码号状态 / state of the number at its operator
        status: ReportedState,
    }
    /// When a number was opened.
    OpenTimeRecord {
        /// 开卡时间 / when the operator opened it
        open_time: Instant,
    }
}

/// The state of a number at its operator.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum ReportedState {
    /// It is in use.
    Active,
    /// It is not written for now.
    Suspended,
    /// It is out of use for ever.
    Retired,
}
