//! Takes the armor off a signature.
//!
//! Strict: the header is the first byte, the footer the last line, and between them stands canonical base64 in lines
//! without a blank. Lines may have any length, as signing agents differ in that.

use ssh_key::encoding::base64::{Base64, Encoding as _};

use super::Defect;
use crate::model::Code;

/// Largest armor that is read. An RSA certificate of the greatest size with many principals is a third of it.
const LARGEST: usize = 64 * 1024;

const HEADER: &str = "-----BEGIN SSH SIGNATURE-----";
const FOOTER: &str = "-----END SSH SIGNATURE-----";

/// The bytes inside the armor.
pub(super) fn remove(armored: &[u8]) -> Result<Vec<u8>, Defect> {
    let bad = |reason: &str| Defect::new(Code::BadSignature, format!("the signature's armor {reason}"));
    if armored.len() > LARGEST {
        return Err(bad("is longer than 64 KiB"));
    }
    let inner = armored.strip_prefix(HEADER.as_bytes()).ok_or_else(|| foreign(armored))?;
    let inner = std::str::from_utf8(inner).map_err(|_not_utf8| bad("is not plain text"))?;
    let inner = inner.strip_prefix('\n').ok_or_else(|| bad("has no LF behind its header"))?;
    let inner = inner.strip_suffix('\n').unwrap_or(inner);
    let inner = inner
        .strip_suffix(FOOTER)
        .ok_or_else(|| bad("does not end with `-----END SSH SIGNATURE-----`"))?
        .strip_suffix('\n')
        .ok_or_else(|| bad("has no line end before its footer"))?;
    let mut base64 = String::with_capacity(inner.len());
    for line in inner.split('\n') {
        if line.is_empty() {
            return Err(bad("holds an empty line"));
        }
        base64.push_str(line);
    }
    Base64::decode_vec(&base64).map_err(|_not_base64| bad("does not hold canonical base64"))
}

/// Names what is no SSH signature.
fn foreign(armored: &[u8]) -> Defect {
    let what = if armored.starts_with(b"-----BEGIN PGP ") {
        "an OpenPGP signature"
    } else if armored.starts_with(b"-----BEGIN SIGNED MESSAGE-----") {
        "an X.509 (S/MIME) signature"
    } else {
        "not an SSH signature"
    };
    Defect::new(
        Code::UnsupportedSignature,
        format!("{what}: only SSH signatures count (`git config gpg.format ssh`)"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(armored: &str, code: Code) {
        assert_eq!(remove(armored.as_bytes()).unwrap_err().code, code, "{armored}");
    }

    #[test]
    fn the_armor_is_read_whole_with_or_without_its_last_line_end() {
        for text in [
            "-----BEGIN SSH SIGNATURE-----\nU1NI\nU0lH\n-----END SSH SIGNATURE-----",
            "-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n",
        ] {
            assert_eq!(remove(text.as_bytes()).unwrap(), b"SSHSIG");
        }
    }

    #[test]
    fn anything_odd_in_the_armor_is_refused() {
        for inner in
            ["U1NIU0lH\n\n", "\nU1NIU0lH\n", "U1NI U0lH\n", "U1NIU0lH\r\n", "U1NIU0lH", "U1NIU0l\n", "\n", ""]
        {
            refused(
                &format!("-----BEGIN SSH SIGNATURE-----\n{inner}-----END SSH SIGNATURE-----\n"),
                Code::BadSignature,
            );
        }
        // The same byte `A`, but with bits behind it that base64 does not need: another spelling of it.
        refused("-----BEGIN SSH SIGNATURE-----\nQR==\n-----END SSH SIGNATURE-----\n", Code::BadSignature);
        refused("-----BEGIN SSH SIGNATURE-----\nQQ\n-----END SSH SIGNATURE-----\n", Code::BadSignature);
        assert!(remove(b"-----BEGIN SSH SIGNATURE-----\nQQ==\n-----END SSH SIGNATURE-----\n").is_ok());
        let once = "-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n";
        for armored in [format!("{once}{once}"), format!("{once}\n"), format!("{once}x"), format!("{once} ")]
        {
            refused(&armored, Code::BadSignature);
        }
    }

    #[test]
    fn an_armor_is_read_up_to_its_bound() {
        let of_length = |length: usize| {
            let base64 = "A".repeat(length - HEADER.len() - FOOTER.len() - 3);
            format!("{HEADER}\n{base64}\n{FOOTER}\n")
        };
        let longest = (LARGEST - 3..=LARGEST).find(|length| remove(of_length(*length).as_bytes()).is_ok());
        let padded = of_length(longest.unwrap()).replacen("AAAA", "AA\nAA", LARGEST - longest.unwrap());
        assert_eq!(padded.len(), LARGEST);
        assert!(remove(padded.as_bytes()).is_ok());
        let defect = remove(padded.replacen("AAAA", "AA\nAA", 1).as_bytes()).unwrap_err();
        assert_eq!((defect.code, defect.reason.contains("64 KiB")), (Code::BadSignature, true));
    }

    #[test]
    fn other_kinds_of_signature_are_named() {
        for (armored, name) in [
            ("-----BEGIN PGP SIGNATURE-----\n", "OpenPGP"),
            ("-----BEGIN PGP MESSAGE-----\n", "OpenPGP"),
            ("-----BEGIN SIGNED MESSAGE-----\n", "X.509"),
            ("", "not an SSH signature"),
            (" -----BEGIN SSH SIGNATURE-----\n", "not an SSH signature"),
        ] {
            let defect = remove(armored.as_bytes()).unwrap_err();
            assert_eq!(defect.code, Code::UnsupportedSignature);
            assert!(defect.reason.contains(name), "{}", defect.reason);
        }
    }
}
