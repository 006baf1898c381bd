"""Chinese wording of the reasons that concern signature values, certificates, revocation and time."""

SIGNATURE_PHRASES: dict[str, str] = {
    "it has several gaps, and what lies in the others was never signed": "字节范围有多处空隙，其余空隙从未被签名",
    "it does not begin with the file": "字节范围不是从文件开头开始",
    "its parts overlap or leave no gap": "字节范围的两部分重叠或没有空隙",
    "digits of mixed or upper case, odd number, or white space": "十六进制数字大小写混用或为大写、个数为奇数或夹有空白",
    "its length is not definite": "其长度不确定",
    "it holds no digest of the document": "其中没有文件的摘要",
    "the signature names no certificate": "签名没有给出证书",
    "it is no octet string": "签名值不是八位组串",
    "the signature value is not encoded canonically": "签名值没有采用规范编码",
    "the end of a value is missing": "缺少数值的结尾",
}
