//! Access tokens: JSON Web Tokens of exactly one form (RFC 9068 with EdDSA). The
//! algorithm, the type and the keys are ours; a token's header can only agree.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::secrets::TokenKey;

/// The only algorithm.
pub const ALGORITHM: &str = "EdDSA";
/// The only type, so that no other kind of token passes for an access token.
const TYPE: &str = "at+jwt";

/// A token's header. Unknown members are refused, and so everything that would
/// name another key or demand an extension.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

/// What a token says. Times are seconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) aud: String,
    /// The user.
    pub(super) sub: Uuid,
    /// The session.
    pub(super) sid: Uuid,
    pub(super) jti: Uuid,
    pub(super) iat: i64,
    pub(super) exp: i64,
}

/// The token that says `claims`.
pub(super) fn sign(key: &TokenKey, claims: &Claims) -> String {
    let header = Header {
        alg: ALGORITHM.to_owned(),
        typ: TYPE.to_owned(),
        kid: key.kid().to_owned(),
    };
    let signed = format!("{}.{}", encode(&header), encode(claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// What a token says, if one of the keys signed it and its form is ours. Who
/// issued it for whom and until when is for the caller to check.
pub(super) fn verify(keys: &[TokenKey], token: &str) -> Option<Claims> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let header: Header = decode(header)?;
    if header.alg != ALGORITHM || header.typ != TYPE {
        return None;
    }
    let key = keys.iter().find(|key| key.kid() == header.kid)?;
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
    if !key.verifies(signed.as_bytes(), &signature) {
        return None;
    }
    decode(claims)
}

fn encode(part: &impl Serialize) -> String {
    #[expect(clippy::expect_used, reason = "plain structs of text and numbers")]
    let json = serde_json::to_vec(part).expect("JSON");
    BASE64_URL_SAFE_NO_PAD.encode(json)
}

fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::secrets::Secrets;

    fn secrets() -> Secrets {
        Secrets::load_or_create(&tempfile::tempdir().unwrap().path().join("keys")).unwrap()
    }

    fn claims() -> Claims {
        Claims {
            iss: "gx".to_owned(),
            aud: "gx".to_owned(),
            sub: Uuid::from_u128(1),
            sid: Uuid::from_u128(2),
            jti: Uuid::from_u128(3),
            iat: 1_000,
            exp: 1_900,
        }
    }

    fn part(value: &Value) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
    }

    /// A token with any header, truly signed.
    fn signed(key: &TokenKey, header: &Value) -> String {
        let signed = format!("{}.{}", part(header), encode(&claims()));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    #[test]
    fn a_token_says_what_was_signed() {
        let secrets = secrets();
        let token = sign(secrets.signing(), &claims());
        assert_eq!(verify(&secrets.token, &token), Some(claims()));
    }

    #[test]
    fn every_altered_character_is_found() {
        let secrets = secrets();
        let token = sign(secrets.signing(), &claims());
        for index in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[index] = if altered[index] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(verify(&secrets.token, &altered), None, "at {index}");
        }
    }

    #[test]
    fn only_our_header_is_taken_however_well_signed() {
        let secrets = secrets();
        let key = secrets.signing();
        let (alg, typ, kid) = (ALGORITHM, TYPE, key.kid());
        let good = json!({"alg": alg, "typ": typ, "kid": kid});
        assert!(verify(&secrets.token, &signed(key, &good)).is_some());
        for header in [
            json!({"alg": "none", "typ": typ, "kid": kid}),
            json!({"alg": "HS256", "typ": typ, "kid": kid}),
            json!({"alg": "eddsa", "typ": typ, "kid": kid}),
            json!({"alg": alg, "typ": "JWT", "kid": kid}),
            json!({"alg": alg, "typ": "rt+jwt", "kid": kid}),
            json!({"alg": alg, "kid": kid}),
            json!({"alg": alg, "typ": typ}),
            json!({"alg": alg, "typ": typ, "kid": "another"}),
            json!({"alg": alg, "typ": typ, "kid": kid, "crit": ["exp"]}),
            json!({"alg": alg, "typ": typ, "kid": kid, "jwk": {}}),
        ] {
            assert_eq!(
                verify(&secrets.token, &signed(key, &header)),
                None,
                "{header}"
            );
        }
    }

    #[test]
    fn unsigned_and_foreign_tokens_are_refused() {
        let secrets = secrets();
        let foreign = self::secrets();
        let none = part(&json!({"alg": "none", "typ": TYPE, "kid": secrets.signing().kid()}));
        let ours = sign(secrets.signing(), &claims());
        let (body, _) = ours.rsplit_once('.').unwrap();
        for token in [
            format!("{none}.{}.", encode(&claims())),
            format!("{body}."),
            body.to_owned(),
            format!("{ours}.{ours}"),
            sign(foreign.signing(), &claims()),
            String::new(),
            "..".to_owned(),
        ] {
            assert_eq!(verify(&secrets.token, &token), None, "{token}");
        }
    }
}
