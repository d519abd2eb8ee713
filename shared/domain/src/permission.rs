//! What a client may be allowed to call, opened one by one (§6.2.1.1).

use super::{Kind, Malformed};

/// One interface of §7 that a client may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// §7.2.2.1 provinces with writable numbers.
    WriteProvinces,
    /// §7.2.2.2 application.
    WriteApply,
    /// §7.2.2.3 status.
    WriteStatus,
    /// §7.2.2.4 cancellation.
    WriteCancel,
    /// §5.3.1.1 the client's own tasks.
    WriteTasks,
    /// §7.2.3.1 chip.
    ChipRead,
    /// §8.2 fault of a chip.
    ChipFault,
    /// §7.2.3.2 number.
    NumberRead,
    /// §7.2.3.3 usage of a number.
    NumberUsage,
    /// §7.2.3.4 opening time and state of a number.
    NumberOpenTime,
    /// §7.2.3.5 city of a number.
    NumberCity,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 11] = [
        Self::WriteProvinces,
        Self::WriteApply,
        Self::WriteStatus,
        Self::WriteCancel,
        Self::WriteTasks,
        Self::ChipRead,
        Self::ChipFault,
        Self::NumberRead,
        Self::NumberUsage,
        Self::NumberOpenTime,
        Self::NumberCity,
    ];

    /// Stable name, in requests and in the database.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::WriteProvinces => "write.provinces",
            Self::WriteApply => "write.apply",
            Self::WriteStatus => "write.status",
            Self::WriteCancel => "write.cancel",
            Self::WriteTasks => "write.tasks",
            Self::ChipRead => "chip.read",
            Self::ChipFault => "chip.fault",
            Self::NumberRead => "number.read",
            Self::NumberUsage => "number.usage",
            Self::NumberOpenTime => "number.open_time",
            Self::NumberCity => "number.city",
        }
    }

    /// How many calls a minute a client may make of the interface, unless it has a limit of its own.
    #[must_use]
    pub const fn calls_per_minute(self) -> u32 {
        match self {
            Self::WriteStatus => 3_000,
            Self::WriteCancel => 600,
            // A page costs as much as many queries.
            Self::WriteTasks => 120,
            Self::ChipFault => 60,
            _ => 1_200,
        }
    }

    /// Reads a stable name.
    ///
    /// # Errors
    /// [`Malformed`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        Self::ALL
            .into_iter()
            .find(|permission| permission.code() == text)
            .ok_or(Malformed::new(
                Kind::Value,
                "未知的接口权限",
                "unknown permission",
            ))
    }
}

#[cfg(test)]
mod tests {
    use super::Permission;

    #[test]
    fn names_lead_back_to_their_permission() {
        for permission in Permission::ALL {
            assert_eq!(Permission::parse(permission.code()), Ok(permission));
        }
        assert!(Permission::parse("admin").is_err());
    }
}
