//! Whether a silent port speaks TLS.

use super::answer::foreign;
use super::connection::Connection;
use super::failure::Failure;

/// Begins a TLS handshake; a TLS server answers with a handshake or an alert.
pub(super) fn speaks_tls(connection: Connection) -> bool {
    let answered = connection.probe(&client_hello());
    answered.is_some_and(|bytes| matches!(foreign(&bytes), Failure::Tls))
}

/// A `ClientHello` of TLS 1.2 with the cipher suites that every server knows.
fn client_hello() -> Vec<u8> {
    let mut hello = vec![0x03, 0x03];
    hello.extend((0..32).map(|byte: u8| byte.wrapping_mul(37)));
    hello.push(0); // no session
    let suites = [0xc0, 0x2f, 0xc0, 0x30, 0xc0, 0x2b, 0x00, 0x9c, 0x00, 0x2f];
    hello.extend([0, 10]);
    hello.extend(suites);
    hello.extend([1, 0]); // no compression
    // Supported groups, point formats, signature algorithms.
    let extensions = [
        0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 6, 0, 4, 4, 1, 4, 3,
    ];
    hello.extend([0, 24]);
    hello.extend(extensions);
    let length = u8::try_from(hello.len()).unwrap_or_default();
    let mut record = vec![
        0x16,
        0x03,
        0x01,
        0,
        length.saturating_add(4),
        1,
        0,
        0,
        length,
    ];
    record.extend(hello);
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_the_hello() {
        let hello = client_hello();
        assert_eq!(usize::from(hello[4]), hello.len() - 5);
        assert_eq!(usize::from(hello[8]), hello.len() - 9);
    }
}
