//! `[redis]`: a server or Sentinels, and files that go together.

use url::Url;

use super::super::Redis;

pub(super) fn check(redis: &Redis, faults: &mut Vec<String>) {
    let schemes = ["redis", "rediss"];
    let is_server = |url: &Url| schemes.contains(&url.scheme()) && url.has_host();
    if !redis.url.is_empty() && !Url::parse(&redis.url).is_ok_and(|url| is_server(&url)) {
        faults.push("redis.url: must be redis://host:port or rediss://host:port".to_owned());
    }
    if !redis.url.is_empty() && !redis.sentinels.is_empty() {
        faults.push("redis.sentinels: know the server, so redis.url must be empty".to_owned());
    }
    for sentinel in &redis.sentinels {
        let port = sentinel.rsplit_once(':').map(|(_, port)| port.parse());
        if !matches!(port, Some(Ok::<u16, _>(_))) {
            faults.push(format!("redis.sentinels: {sentinel} is not host:port"));
        }
    }
    for (name, value) in [
        ("sentinel_name", &redis.sentinel_name),
        ("prefix", &redis.prefix),
    ] {
        if value.is_empty() {
            faults.push(format!("redis.{name}: must not be empty"));
        }
    }
    if redis.tls_certificate_file.is_empty() != redis.tls_key_file.is_empty() {
        faults.push("redis.tls: a certificate and its key go together".to_owned());
    }
    let files = !redis.tls_ca_file.is_empty() || !redis.tls_certificate_file.is_empty();
    if files && !redis.tls && !redis.url.starts_with("rediss://") {
        faults.push("redis.tls_ca_file: needs redis.tls, or a rediss:// URL".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn told(change: impl FnOnce(&mut Redis)) -> Vec<String> {
        let mut redis = Config::default().redis;
        change(&mut redis);
        let mut faults = Vec::new();
        check(&redis, &mut faults);
        faults
    }

    #[test]
    fn a_server_or_sentinels_are_named_and_not_both() {
        assert_eq!(told(|_| ()), [""; 0]);
        assert_eq!(
            told(|redis| redis.url = "rediss://gx@cache:6380/1".into()),
            [""; 0]
        );
        assert_eq!(
            told(|redis| redis.sentinels = vec!["one:26379".into()]),
            [""; 0]
        );
        let both = told(|redis| {
            redis.url = "redis://cache".into();
            redis.sentinels = vec!["one:26379".into()];
        });
        assert!(both[0].starts_with("redis.sentinels"), "{both:?}");
    }

    #[test]
    fn what_is_wrong_is_named_and_no_password_repeated() {
        let faults = told(|redis| {
            redis.url = "http://:hush@cache".into();
            redis.prefix = String::new();
            redis.tls_key_file = "key.pem".into();
            redis.tls_ca_file = "ca.pem".into();
        });
        let keys: Vec<_> = faults
            .iter()
            .filter_map(|fault| fault.split(':').next())
            .collect();
        let expected = [
            "redis.url",
            "redis.prefix",
            "redis.tls",
            "redis.tls_ca_file",
        ];
        assert_eq!(keys, expected);
        assert!(!faults.concat().contains("hush"), "{faults:?}");
        assert_eq!(told(|redis| redis.sentinels = vec!["one".into()]).len(), 1);
    }
}
