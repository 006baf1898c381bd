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
    "no revocation list or answer about it is at hand": "没有可用的吊销列表或在线状态应答",
    "the revocation data at hand are out of date": "现有吊销信息已过时",
    "the revocation data are younger than its end, and may have forgotten it": "吊销信息晚于证书到期，可能不再记载它",
    "the responder does not know it": "在线状态应答者不认识该证书",
    "an entry of a revocation list cannot be understood": "吊销列表中的条目无法理解",
    "the critical extension {} is not known": "关键扩展 {} 无法识别",
    "a signature in the chain does not match": "证书链中的签名不匹配",
    "its time lies after that of a later timestamp": "其时间晚于其后的时间戳",
    "the end of a value is missing": "缺少数值的结尾",
}
