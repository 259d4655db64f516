//! As much of Redis's protocol as bringing servers up needs.

use std::io::{BufRead, BufReader, Read, Write};

use crate::urls;

/// Sends one command; its answer as text, elements of a list on lines of their
/// own.
pub(crate) fn ask(address: &str, command: &str) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{address}: {command}: {error}");
    let mut stream = urls::open(address).map_err(|error| format!("{address}: {error}"))?;
    let line = format!("{command}\r\n");
    stream.write_all(line.as_bytes()).map_err(failed)?;
    let mut answer = String::new();
    match read(&mut BufReader::new(stream), &mut answer) {
        Ok(()) => Ok(answer),
        Err(error) => Err(format!("{address}: {command}: {error}")),
    }
}

/// Adds the text of one value; `Err` is the server's error, or ours.
fn read(input: &mut impl BufRead, answer: &mut String) -> Result<(), String> {
    let mut line = String::new();
    input.read_line(&mut line).map_err(|e| e.to_string())?;
    let line = line.trim_end();
    let (kind, rest) = line.split_at_checked(1).ok_or("no answer")?;
    let count = || {
        rest.parse::<i64>()
            .map_err(|_| format!("odd answer {line:?}"))
    };
    match kind {
        "+" | ":" => answer.push_str(rest),
        "-" => return Err(rest.to_owned()),
        "$" => {
            let length = u64::try_from(count()?).unwrap_or_default();
            let mut text = String::new();
            let mut value = input.take(length + 2);
            value.read_to_string(&mut text).map_err(|e| e.to_string())?;
            answer.push_str(text.trim_end_matches("\r\n"));
        }
        "*" => {
            for _ in 0..count()? {
                read(input, answer)?;
                answer.push('\n');
            }
        }
        _ => return Err(format!("odd answer {line:?}")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let cases = [
            ("+PONG\r\n", Ok("PONG")),
            (":16384\r\n", Ok("16384")),
            ("-ERR no\r\n", Err("ERR no")),
            ("$8\r\na:1\r\nb:2\r\n\r\n", Ok("a:1\r\nb:2")),
            (
                "*2\r\n$9\r\n127.0.0.1\r\n$4\r\n6379\r\n",
                Ok("127.0.0.1\n6379\n"),
            ),
            ("", Err("no answer")),
            ("$x\r\n", Err("odd answer \"$x\"")),
            ("HTTP/1.1 400\r\n", Err("odd answer \"HTTP/1.1 400\"")),
        ];
        for (bytes, expected) in cases {
            let mut answer = String::new();
            let result = read(&mut bytes.as_bytes(), &mut answer).map(|()| answer);
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(result, expected, "{bytes:?}");
        }
    }
}
