//! Lists the keys that verify access tokens.

use gx_proto::gx::identity::v1::{ListPublicKeysResponse, PublicKey};

use crate::{app::App, auth::token::ALGORITHM, secrets::TokenKey};

pub(super) fn handle(app: &App) -> ListPublicKeysResponse {
    ListPublicKeysResponse {
        keys: app.secrets.token.iter().map(jwk).collect(),
    }
}

fn jwk(key: &TokenKey) -> PublicKey {
    PublicKey {
        kty: "OKP".to_owned(),
        crv: "Ed25519".to_owned(),
        x: key.public(),
        kid: key.kid().to_owned(),
        r#use: "sig".to_owned(),
        alg: ALGORITHM.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    use ring::signature::{ED25519, UnparsedPublicKey};

    use super::*;
    use crate::identity::harness::{CONTACT, Harness, PASSWORD};

    /// What any other party does with a token and this list.
    #[tokio::test]
    async fn the_listed_key_verifies_a_token() {
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        let token = harness.login(CONTACT, PASSWORD).await.unwrap().access_token;
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let header = BASE64_URL_SAFE_NO_PAD.decode(signed.split('.').next().unwrap());
        let header: serde_json::Value = serde_json::from_slice(&header.unwrap()).unwrap();

        let keys = handle(&harness.app).keys;
        let key = keys.iter().find(|key| header["kid"] == key.kid.as_str());
        let public = BASE64_URL_SAFE_NO_PAD.decode(&key.unwrap().x).unwrap();
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&ED25519, public)
            .verify(signed.as_bytes(), &signature)
            .unwrap();
        assert_eq!(header["alg"], "EdDSA");
        assert_eq!(header["typ"], "at+jwt");
    }
}
