//! The services a number may be opened for: data, and with it directed voice and directed SMS (§5.1.3).

use super::{Kind, Malformed};

/// One permitted service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Packet data.
    Data,
    /// Voice to listed numbers only.
    DirectedVoice,
    /// SMS to listed numbers only.
    DirectedSms,
}

impl Service {
    const ALL: [Self; 3] = [Self::Data, Self::DirectedVoice, Self::DirectedSms];

    /// Text in files and in the database.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::DirectedVoice => "directed_voice",
            Self::DirectedSms => "directed_sms",
        }
    }
}

/// The services of one number: always data, never anything that is not permitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Services(Vec<Service>);

impl Services {
    /// Reads names separated by `;`, `,`, `|` or spaces. Their order does not matter.
    ///
    /// # Errors
    /// [`Malformed`] when a name is not one of the three, or data is missing (§5.1.3: voice and SMS
    /// only in connection with data).
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut services = Vec::new();
        for name in text.split([';', ',', '|', ' ']).filter(|name| !name.is_empty()) {
            let known = Service::ALL.into_iter().find(|service| service.code() == name);
            let service = known.ok_or(Malformed::new(
                Kind::Value,
                "业务仅限 data、directed_voice、directed_sms（5.1.3）",
                "a service is data, directed_voice or directed_sms (5.1.3)",
            ))?;
            if !services.contains(&service) {
                services.push(service);
            }
        }
        if !services.contains(&Service::Data) {
            return Err(Malformed::new(
                Kind::Value,
                "须开通数据业务 data，定向语音、定向短信只能与其一并开通（5.1.3）",
                "data is required; directed voice and SMS only come with it (5.1.3)",
            ));
        }
        services.sort_unstable();
        Ok(Self(services))
    }

    /// Text stored in the database: the names in a fixed order, separated by `;`.
    #[must_use]
    pub fn code(&self) -> String {
        self.0
            .iter()
            .map(|service| service.code())
            .collect::<Vec<_>>()
            .join(";")
    }
}

#[cfg(test)]
mod tests {
    use super::Services;

    #[test]
    fn order_and_repetition_do_not_matter() {
        let one = Services::parse("directed_sms;data").unwrap();
        assert_eq!(one, Services::parse("data | directed_sms | data").unwrap());
        assert_eq!(one.code(), "data;directed_sms");
    }

    // §5.1.3
    #[test]
    fn undirected_services_are_refused() {
        for text in [
            "",
            "voice",
            "data;sms",
            "directed_voice",
            "DATA",
            "data;international_roaming",
        ] {
            assert!(Services::parse(text).is_err(), "{text}");
        }
    }
}
