//! RSA signatures that are smaller than their key: some agents drop the zeros in front, `ssh-keygen` writes them and
//! fills them up. Both spellings count, and no other.

use git_gate::model::Code;
use ssh_key::encoding::base64::{Base64, Encoding as _};

use crate::signature_bench::{ALICE, NOW, PAYLOAD, armor, check};

/// A key of 3072 bits, made for this test.
const KEY: &str = "\
    AAAAB3NzaC1yc2EAAAADAQABAAABgQCYEmzphfG6kZSMVNsz73nEjhAwOken0vRSZZfqiYp6djXkkb0gABKIL2M5eFNj09yRF9OYEH23b7Lt\
    fYazoORyrzcBiYwDb+hUNOyfwkVqy5R9sxU9I6z3i6PZk70Hki+tMpsYnbb48v5Gb2AqQ6oE2rK2h5f6zbarlEbBWlgmJBcd11USsqRmF32m\
    KhuT/gputuAqhSwR/5CRVXyRyFYEtAvSlX58XMiBvO5y2arCwOctKTa5Hi4w6C6q6N3fR7uweUiN+43G8cnMCwTIuzRYsrejsNcbd28zMnJ4\
    PbI84Xdu3nWHmV924r/9pued3pwFw3jCg+OR9AEK3ju9bXfTUrAgb92Y7EeLx2kWjnFz0iRb64i01B6ewKAjc2AXLlcXX33D7SlIdjseJhSl\
    HjDTdzzlbjLB9YiFy5Le2+ND0/M3kniSRUmawc8wiIGNTePAMr9murHRaR3L8fRjQeZbNqp6O3lLM9Qnq+qnATiUbf1MP7RK70MI6Hab8NQt\
    rsM=";

/// What `ssh-keygen -Y sign` made with it of [`signed`]: its last 384 bytes begin with a zero, one time in 256.
const SIGNATURE: &str = "\
    U1NIU0lHAAAAAQAAAZcAAAAHc3NoLXJzYQAAAAMBAAEAAAGBAJgSbOmF8bqRlIxU2zPvecSOEDA6R6fS9FJll+qJinp2NeSRvSAAEogvYzl4\
    U2PT3JEX05gQfbdvsu19hrOg5HKvNwGJjANv6FQ07J/CRWrLlH2zFT0jrPeLo9mTvQeSL60ymxidtvjy/kZvYCpDqgTasraHl/rNtquURsFa\
    WCYkFx3XVRKypGYXfaYqG5P+Cm624CqFLBH/kJFVfJHIVgS0C9KVfnxcyIG87nLZqsLA5y0pNrkeLjDoLqro3d9Hu7B5SI37jcbxycwLBMi7\
    NFiyt6Ow1xt3bzMycng9sjzhd27edYeZX3biv/2m553enAXDeMKD45H0AQreO71td9NSsCBv3ZjsR4vHaRaOcXPSJFvriLTUHp7AoCNzYBcu\
    VxdffcPtKUh2Ox4mFKUeMNN3POVuMsH1iIXLkt7b40PT8zeSeJJFSZrBzzCIgY1N48Ayv2a6sdFpHcvx9GNB5ls2qno7eUsz1Cer6qcBOJRt\
    /Uw/tErvQwjodpvw1C2uwwAAAANnaXQAAAAAAAAABnNoYTUxMgAAAZQAAAAMcnNhLXNoYTItNTEyAAABgABubjfyVU+O2Zy+aT96SCGH2fvC\
    gGqnpOSrO3qNY62sKikWxuNXLvt8AlRZlLk3HCi1P7eu8tJGylWBh7NcZ2s81+NFHlM4yWrO8qbp8ctUDPbAGFpxtFgHa/B7woJUaniKX1Z1\
    WSYW1GAgGFyqHJZ0d3//6P2fu+Qu/YJjvmlJLyJE4mtFHxJsBS6ghokY8A0E1HafIrT4pVUpOqiGfy/kYhCsbo1npq5QDvN2fYdQs44p+AMH\
    moZyVG65ZNtqQAFc0KmxEhTxt5ILKNcsIIaczrdo78m51snOlDVR1LUldx8QxV0VUU6yEaoqYnZXwfe+2QLzbYXTTgT/zw2VQvsvn2DjhQmI\
    J8e2Ifp+sRkwxlJI7HcyApg3PeNGOp0E6GSSZ6t+XKRcq3yW6WCAzQOO3AKyrUFI1p1lGcwFvm3eF/3DgMtukAi5ZeCc8yn5eOYjeq7jvEku\
    eZt+p9x6eSrtnne4s/+P57vWL/z1OHTI921NW1W5Gu2n5VVi5SxAFA==";

const LENGTH: usize = 384;

fn signed() -> String {
    format!("{PAYLOAD}Gate-Note: 76\n")
}

fn string(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

#[track_caller]
fn judged(case: &str, raw: &[u8], expected: Result<(), Code>) {
    let blob = Base64::decode_vec(SIGNATURE).unwrap();
    let name = string(b"rsa-sha2-512");
    let before = &blob[..blob.len() - LENGTH - 4 - name.len() - 4];
    let armored = armor(&[before, &string(&[name, string(raw)].concat())].concat());
    let signers = format!("{ALICE} ssh-rsa {KEY}\n");
    check(case, &signers, signed().as_bytes(), armored.as_bytes(), NOW, expected);
}

#[test]
fn zeros_in_front_of_an_rsa_signature_may_be_left_out_and_not_added() {
    let blob = Base64::decode_vec(SIGNATURE).unwrap();
    let raw = &blob[blob.len() - LENGTH..];
    assert_eq!(raw[0], 0, "the signature that was chosen begins with a zero");
    judged("filled up", raw, Ok(()));
    judged("stripped", &raw[1..], Ok(()));
    let bad = Err(Code::BadSignature);
    judged("a zero too many", &[&[0], raw].concat(), bad);
    judged("a digit too few", &raw[2..], bad);
    judged("a digit too few at the end", &raw[..LENGTH - 1], bad);
    judged("nothing", &[], bad);
}
