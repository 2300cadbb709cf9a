use super::callgrind::instructions_of_rust;

/// 100 of Grantor's own, 5 of the C library's for it, and a signature of 1,000, of which 30 in the C library.
const DUMP: &str = "\
version: 1
events: Ir
summary: 1105

fn=grantor::keys::sign
1 60
2 40
cfn=memcpy
calls=1 0
3 5
cfn=aws_lc_rs::rsa::sign
calls=1 0
3 1000

fn=aws_lc_rs::rsa::sign
1 0
cfn=aws_lc_0_47_0_EVP_DigestSign
calls=1 0
3 1000

fn=aws_lc_0_47_0_EVP_DigestSign
9 900
cfn=aws_lc_0_47_0_bn_mul
calls=7 0
9 70
cfn=malloc
calls=2 0
9 30

fn=aws_lc_0_47_0_bn_mul
9 70

fn=malloc
4 30

fn=memcpy
5 5

totals: 1105
";

#[test]
fn the_library_of_cryptography_is_left_out_with_all_that_it_calls() {
    assert_eq!(instructions_of_rust(DUMP), 105);
    assert_eq!(instructions_of_rust(""), 0);
}
