//! Where one client's webhooks go, checked before the run begins.

use http::Uri;

use crate::{
    live::{
        RoleError,
        control::EndpointAddress,
        keys::{SigningKey, signing_key},
    },
    model::ClientNo,
    policy::rotation::SigningSecrets,
    profile::Profile,
    scenario::ConsumerNo,
};

/// One endpoint.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    pub consumer: ConsumerNo,
    pub client: ClientNo,
    pub host: String,
    pub port: u16,
    /// `host:port` as the URL writes it, for the Host header.
    pub authority: String,
    /// Path and query.
    pub path: String,
    /// The URL as a whole, where it is signed.
    pub url: String,
    pub secrets: SigningSecrets<SigningKey>,
}

impl Endpoint {
    /// Checks the address. The message never contains the secret.
    pub fn parse(address: &EndpointAddress, profile: Option<&Profile>) -> Result<Endpoint, RoleError> {
        let EndpointAddress { consumer, client, url, secret } = address;
        let bad = |problem: String| {
            RoleError::Assignment(format!("endpoint {client} of consumer {consumer}, {url}: {problem}"))
        };
        let uri: Uri = url.parse().map_err(|error| bad(format!("not a URL ({error}); write http://host:port/path")))?;
        if uri.scheme_str() != Some("http") {
            return Err(bad("only plain http:// is spoken; put a TLS-terminating proxy in front".to_owned()));
        }
        let authority = uri.authority().ok_or_else(|| bad("the host is missing".to_owned()))?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Endpoint {
            consumer: *consumer,
            client: *client,
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(80),
            // A user and password in the URL are not for the Host header.
            authority: authority.as_str().rsplit('@').next().unwrap_or_default().to_owned(),
            path: path.to_owned(),
            url: url.clone(),
            secrets: SigningSecrets::new(signing_key(profile, secret).map_err(bad)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Secret;

    fn parse(url: &str, secret: &str) -> Result<Endpoint, String> {
        let address = EndpointAddress { consumer: 0, client: 1, url: url.to_owned(), secret: secret.to_owned() };
        Endpoint::parse(&address, None).map_err(|error| error.to_string())
    }

    #[test]
    fn addresses_are_checked_and_secrets_stay_out_of_messages() {
        let secret = Secret::from_bytes(&[1; 32]).unwrap().reveal();
        let ok = parse("http://127.0.0.1:8080/hooks/1?x=y", &secret).unwrap();
        assert_eq!((ok.host.as_str(), ok.port, ok.path.as_str()), ("127.0.0.1", 8080, "/hooks/1?x=y"));
        let v6 = parse("http://[::1]:81", &secret).unwrap();
        assert_eq!((v6.host.as_str(), v6.authority.as_str(), v6.path.as_str()), ("::1", "[::1]:81", "/"));
        assert!(parse("https://example.com/", &secret).unwrap_err().contains("plain http"));
        assert!(parse("nonsense", &secret).is_err());
        let message = parse("http://127.0.0.1/", "whsec_tooshort").unwrap_err();
        assert!(!message.contains("tooshort"), "{message}");
    }
}
