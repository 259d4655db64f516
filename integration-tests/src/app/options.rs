//! The command line: `traced-app [--server axum|hyper --client reqwest|hyper
//! --http 1|2 --downstream address] [--token text] [--password text] [text]`, of
//! which the last three are there to be announced.

use std::net::SocketAddr;

use lexopt::prelude::*;

#[derive(Default)]
pub(crate) struct Options {
    /// Without it, the application only obeys commands.
    pub(crate) serve: Option<Setup>,
}

#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) server: Library,
    pub(crate) client: Library,
    /// HTTP/2 with prior knowledge to the downstream; servers take both.
    pub(crate) http2: bool,
    pub(crate) downstream: SocketAddr,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Library {
    Axum,
    Hyper,
    Reqwest,
}

impl Options {
    pub(crate) fn parse() -> Result<Self, lexopt::Error> {
        let mut parser = lexopt::Parser::from_env();
        let (mut server, mut client, mut http2, mut downstream) =
            (Library::Axum, Library::Reqwest, false, None);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("server") => server = library(&parser.value()?.string()?)?,
                Long("client") => client = library(&parser.value()?.string()?)?,
                Long("http") => http2 = parser.value()?.string()? == "2",
                Long("downstream") => downstream = Some(parser.value()?.parse()?),
                Long("token" | "password") => drop(parser.value()?),
                Value(_) => {}
                other => return Err(other.unexpected()),
            }
        }
        let serve = downstream.map(|downstream| Setup {
            server,
            client,
            http2,
            downstream,
        });
        Ok(Self { serve })
    }
}

fn library(name: &str) -> Result<Library, lexopt::Error> {
    match name {
        "axum" => Ok(Library::Axum),
        "hyper" => Ok(Library::Hyper),
        "reqwest" => Ok(Library::Reqwest),
        other => Err(format!("there is no library {other:?}").into()),
    }
}
