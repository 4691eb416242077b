//! A JSON string → text, seen through a window that may end within a character.

use std::io::Read;

use super::JsonError;
use super::window::Window;

/// A string, from its opening quote: what it says goes into `into`, where it is wanted, until that holds more than `most`
/// bytes.
pub(super) fn string<R: Read>(
    window: &mut Window<R>,
    line: usize,
    mut into: Option<&mut String>,
    most: usize,
) -> Result<(), JsonError> {
    window.step(1);
    loop {
        // At least one whole character, unless the file ends within it.
        let rest = window.at_least(4).map_err(|error| JsonError::broken(line, &error))?;
        let stop = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
        let found = stop.and_then(|stop| rest.get(stop)).copied();
        let part = rest.get(..stop.unwrap_or(rest.len())).unwrap_or_default();
        let valid = match std::str::from_utf8(part) {
            Ok(text) => text,
            Err(error) if error.error_len().is_some() || found.is_some() => {
                return Err(JsonError { refused: true, line, what: "it is not UTF-8 text".to_owned() });
            }
            Err(error) => part
                .get(..error.valid_up_to())
                .and_then(|valid| std::str::from_utf8(valid).ok())
                .unwrap_or_default(),
        };
        if let Some(into) = &mut into {
            into.push_str(valid);
            if into.len() > most {
                let what = format!("more than {most} bytes of text");
                return Err(JsonError { refused: true, line, what });
            }
        }
        let length = valid.len();
        window.step(length);
        match found {
            None if length == 0 => return Err(JsonError::wrong(line, "a text that does not end")),
            None => {}
            Some(b'"') => {
                window.step(1);
                return Ok(());
            }
            Some(b'\\') => {
                window.step(1);
                let letter = escape(window, line)?;
                if let Some(into) = &mut into {
                    into.push(letter);
                }
            }
            Some(_) => return Err(JsonError::wrong(line, "a control character in a text")),
        }
    }
}

/// What stands behind a backslash.
fn escape<R: Read>(window: &mut Window<R>, line: usize) -> Result<char, JsonError> {
    let letter = window.peek().map_err(|error| JsonError::broken(line, &error))?;
    let read = match letter {
        Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode(window, line),
        _ => return Err(JsonError::wrong(line, "an unknown escape")),
    };
    window.step(1);
    Ok(read)
}

/// What `u` and its digits stand for: one character, of one or of two of them.
fn unicode<R: Read>(window: &mut Window<R>, line: usize) -> Result<char, JsonError> {
    const HALF: &str = "half a surrogate pair";
    let rest = window.at_least("uXXXX\\uXXXX".len()).map_err(|error| JsonError::broken(line, &error))?;
    let four_digits = |from: usize| -> Result<u32, JsonError> {
        let digits = rest.get(from..from + 4).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        digits
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| JsonError::wrong(line, "`\\u` without four hexadecimal digits"))
    };
    let half = || JsonError { refused: true, line, what: HALF.to_owned() };
    let first = four_digits(1)?;
    let paired = (0xd800..0xdc00).contains(&first) && rest.get(5..7) == Some(b"\\u");
    let code = if paired {
        let second = four_digits(7)?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(half());
        }
        0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
    } else {
        first
    };
    let read = char::from_u32(code).ok_or_else(half)?;
    window.step(if paired { 11 } else { 5 });
    Ok(read)
}
