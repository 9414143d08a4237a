//! What is in front of the services, and whose pages may call them.

use url::Url;

use super::super::{Config, upstream::split};

pub(super) fn check(config: &Config, faults: &mut Vec<String>) {
    for origin in &config.listen.origins {
        if !is_origin(origin) {
            faults.push(format!(
                "listen.origins: {origin} is no origin, such as https://app.example.org"
            ));
        }
    }
    let gateway = &config.gateway;
    for (name, address) in [
        ("identity", &gateway.identity),
        ("wallet", &gateway.wallet),
        ("tokenomics", &gateway.tokenomics),
    ] {
        if !address.is_empty() && split(address).is_none() {
            faults.push(format!("gateway.{name}: must be host:port"));
        }
    }
    let ports = [
        ("port", gateway.port),
        ("metrics", gateway.metrics),
        ("admin", gateway.admin),
    ];
    for (index, (name, port)) in ports.iter().enumerate() {
        if let Some((other, _)) = ports[..index].iter().find(|(_, other)| other == port) {
            faults.push(format!("gateway.{name}: the same port as gateway.{other}"));
        }
        if *port == 0 {
            faults.push(format!("gateway.{name}: must not be 0"));
        }
    }
    if gateway.burst < gateway.per_s {
        faults.push("gateway.burst: must be at least gateway.per_s".to_owned());
    }
}

/// Whether a browser would write this in a request's `origin`.
fn is_origin(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        ["http", "https"].contains(&url.scheme()) && url.origin().ascii_serialization() == text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_writes() {
        for good in ["https://app.example.org", "http://localhost:5173"] {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "*",
            "null",
            "app.example.org",
            "https://a.org/",
            "https://A.org",
            "https://a.org:443",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
