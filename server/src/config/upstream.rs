//! Where the gateway finds the services.

use super::Config;

/// One service, as the gateway reaches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// `identity`, `wallet` or `tokenomics`.
    pub name: &'static str,
    /// A host's name, or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl Config {
    /// The services: as `[gateway]` says, else as `[listen]` does.
    ///
    /// # Errors
    /// The name of a service whose port nobody knows before it listens.
    pub fn upstreams(&self) -> Result<[Upstream; 3], &'static str> {
        let (gateway, listen) = (&self.gateway, &self.listen);
        let found = |name, address: &str, port: u16| {
            let own = (listen.host.to_string(), port);
            let (host, port) = split(address).map_or(own, |(host, port)| (host.to_owned(), port));
            match port {
                0 => Err(name),
                port => Ok(Upstream { name, host, port }),
            }
        };
        Ok([
            found("identity", &gateway.identity, listen.identity)?,
            found("wallet", &gateway.wallet, listen.wallet)?,
            found("tokenomics", &gateway.tokenomics, listen.tokenomics)?,
        ])
    }
}

/// Host and port of an address; an IPv6 address stands in brackets, and loses them.
pub(super) fn split(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_name = |host: &str| {
        let mut bytes = host.bytes();
        bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
    };
    let host = match bare {
        Some(host) => host.parse::<std::net::Ipv6Addr>().is_ok().then_some(host)?,
        None => (!host.is_empty() && is_name(host)).then_some(host)?,
    };
    Some((host, port.parse().ok().filter(|port| *port != 0)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        assert_eq!(split("svc-wallet:3002"), Some(("svc-wallet", 3002)));
        assert_eq!(split("[::1]:3002"), Some(("::1", 3002)));
        for bad in [
            "svc-wallet",
            "svc-wallet:0",
            ":3002",
            "a b:1",
            "::1:3002",
            "http://a:1",
        ] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_service_is_where_the_gateway_s_settings_say_or_where_it_listens() {
        let mut config = Config::default();
        config.gateway.wallet = "svc-wallet:4002".to_owned();
        let told = config.upstreams().unwrap();
        let told: Vec<_> = told
            .iter()
            .map(|one| (one.name, &*one.host, one.port))
            .collect();
        let wanted = [
            ("identity", "127.0.0.1", 3001),
            ("wallet", "svc-wallet", 4002),
            ("tokenomics", "127.0.0.1", 3003),
        ];
        assert_eq!(told, wanted);
        config.set_listen_base(0);
        assert_eq!(config.upstreams(), Err("identity"));
    }
}
