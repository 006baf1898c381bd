"""Why a finding matters and what to do about it. Findings of one kind share both sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify.formats.refusal import Text

if TYPE_CHECKING:
    from verify.findings import Meaning


@dataclass(frozen=True, slots=True)
class Advice:
    """``why`` it matters, ``action``: what a person should do."""

    why: Text
    action: Text


def _a(why_zh: str, why_en: str, action_zh: str, action_en: str) -> Advice:
    return Advice(Text(why_zh, why_en), Text(action_zh, action_en))


_REFUSE = ("请拒收，并向颁发机构索取原件。", "Refuse it, and ask the issuer for the original.")
_NOTHING = ("无需处理。", "Nothing needs to be done.")

KINDS: dict[str, Advice] = {
    "unreadable": _a(
        "读不出的文件什么也证明不了，也可能是有意损坏的。",
        "A file that cannot be read proves nothing, and may be broken on purpose.",
        "请索取完好的原始文件后重新验证。",
        "Ask for an undamaged original and verify that.",
    ),
    "limit": _a(
        "检查外来文件的开销有固定上限，超出时不得出任何结论。",
        "What a stranger's file may cost is limited; beyond that no answer is given.",
        "请索取较小的原始文件；可信来源的文件可放宽策略中的上限后再验证。",
        "Ask for a smaller original; for a file from a source you trust, raise the policy's limit and try again.",
    ),
    "encrypted": _a(
        "不解密就看不到签名。",
        "Without decryption its signatures cannot be seen.",
        "请给出口令（命令行用 --password）后重新验证。",
        "Give the password (--password on the command line) and verify again.",
    ),
    "unsupported": _a(
        "无法计算的签名既不能证实，也不能否定。",
        "A signature that cannot be computed is neither proven nor disproven.",
        "请向签名者索取使用通行算法的文件。",
        "Ask the signer for a file that uses a current algorithm.",
    ),
    "unsigned": _a(
        "没有签名，就没有任何依据说明出处和是否被改动。",
        "Without a signature nothing shows where it comes from or whether it was changed.",
        "请索取带有电子签章的文件。",
        "Ask for the file that carries the seal.",
    ),
    "altered": _a(
        "现在显示的内容不是当初签署的内容。",
        "What is shown now is not what was signed.",
        *_REFUSE,
    ),
    "bytes": _a(
        "签名没有覆盖的位置可以藏匿或替换内容而不被摘要发现。",
        "What a signature does not cover can hide or replace content without changing the digest.",
        *_REFUSE,
    ),
    "permitted": _a(
        "这些增补不改变已签署的内容。",
        "These additions do not change what was signed.",
        *_NOTHING,
    ),
    "addition": _a(
        "规则允许这样的增补，但增补的内容不是签名人签署的。",
        "Rules permit such an addition, but the signer did not sign what was added.",
        "请对照签署时的版本查看增补之处，签名人未确认的内容不要采信。",
        "Look at what was added beside the signed version; do not rely on what the signer did not confirm.",
    ),
    "written": _a(
        "写法与通常不同，但签名的内容相同。",
        "It is written in another way than usual; what is signed is the same.",
        *_NOTHING,
    ),
    "path": _a(
        "没有所信任的机构为签名者的身份担保。",
        "No authority that you trust vouches for who the signer is.",
        "请从可信渠道取得颁发机构的根证书，用 --trust 给出后重新验证。",
        "Get the issuer's root from a source you trust, give it with --trust, and verify again.",
    ),
    "path-wrong": _a(
        "不成立的证书链不能为签名者担保。",
        "A chain that does not hold vouches for nobody.",
        "请拒收，并向颁发机构核实签名者。",
        "Refuse it, and ask the issuer about the signer.",
    ),
    "lookalike": _a(
        "名称谁都可以照抄，密钥抄不走：这可能是仿冒的机构。",
        "Anybody can copy a name, nobody the key: this may be a counterfeit authority.",
        "请拒收，并向颁发机构核实；不要信任文件自带的根证书。",
        "Refuse it, and ask the issuer; do not trust a root that came with the file.",
    ),
    "example": _a(
        "示例机构的密钥人人可得，任何人都能用它签署。",
        "An example authority's keys are public: anybody can sign with them.",
        "仅在试用时可用 --allow-example 接受；正式使用请拒收。",
        "Accept it for trials only, with --allow-example; otherwise refuse it.",
    ),
    "expired": _a(
        "证书过期之后，其密钥不再受机构保护和担保。",
        "After its end a certificate's key is no longer vouched for.",
        "请索取带有可信时间戳的文件，或由颁发机构重新签署。",
        "Ask for a file with a trusted timestamp, or one signed anew.",
    ),
    "not-yet": _a(
        "生效之前，机构还没有为该密钥担保；也可能是时间写错。",
        "Before its beginning nobody vouched for the key yet; or a time is wrong.",
        "请核对验证时刻，并向颁发机构核实。",
        "Check the moment of checking, and ask the issuer.",
    ),
    "revoked": _a(
        "证书被吊销往往意味着密钥已失控，他人也能签署。",
        "A revoked certificate often means a lost key: others may sign with it.",
        "请拒收，并向颁发机构核实。",
        "Refuse it, and ask the issuer.",
    ),
    "revocation": _a(
        "没有吊销信息，就不能排除密钥已经失控。",
        "Without revocation data a lost key cannot be ruled out.",
        "请联网，或用 --crl、--ocsp 给出吊销信息后重新验证。",
        "Go online, or give the data with --crl or --ocsp, and verify again.",
    ),
    "purpose": _a(
        "证书只担保所列的用途；用在别处往往是冒用。",
        "A certificate vouches only for the uses it lists; elsewhere it is often misuse.",
        "请拒收，并向颁发机构核实。",
        "Refuse it, and ask the issuer.",
    ),
    "hashes": _a(
        "两种算法中较弱的一种决定签名的强度。",
        "The weaker of the two decides how strong the signature is.",
        *_NOTHING,
    ),
    "weak": _a(
        "不安全的算法能被伪造出同样的签名。",
        "A weak algorithm allows somebody else to make the same signature.",
        "请索取用现行算法签署的文件。",
        "Ask for a file signed with a current algorithm.",
    ),
    "timestamp": _a(
        "没有可信的时间戳，就不能证明签署时证书有效。",
        "Without a trusted timestamp nothing proves that the certificate held when signing.",
        "请给出时间戳机构的根证书后重新验证。",
        "Give the timestamp authority's root as trusted and verify again.",
    ),
    "time": _a(
        "签署时间由签名者自己填写，可以不实。",
        "The time is what the signer wrote, and may be untrue.",
        "时间要紧时，请索取带有时间戳的文件。",
        "Where the time matters, ask for a file with a timestamp.",
    ),
    "hidden": _a(
        "已签署的文件里若藏有内容，以后可以不改动签名就换上它。",
        "Content that waits in a signed file can be brought up later without breaking the signature.",
        "请打印或另存所见页面，并要求对方提供不含隐藏内容的文件。",
        "Keep a copy of what you see, and ask for a file without hidden content.",
    ),
    "not-run": _a(
        "没有执行的检查不能算作通过。",
        "A check that did not run never counts as passed.",
        "请查看其他原因；排除后重新验证。",
        "See the other reasons, and verify again when they are settled.",
    ),
    "internal": _a(
        "程序遇到了没有预料的内容，未完成的检查不能算作通过。",
        "The program met something unforeseen; what it did not finish never counts as passed.",
        "请更新软件后重试；仍然如此时，请把文件交给维护者。",
        "Update and try again; if it stays, hand the file to the maintainers.",
    ),
    "record": _a(
        "证照的数据以所附的签名记录为准，记录有误则证照不成立。",
        "A license's data are those of its signed record; without a sound record it is none.",
        *_REFUSE,
    ),
    "page": _a(
        "页面给人看，记录给程序看，两者必须说同一件事。",
        "The page is for people and the record for programs: both must say the same.",
        *_REFUSE,
    ),
    "page-code": _a(
        "二维码应与页面指向同一证照，否则可能是移花接木。",
        "The code must mean the license on the page; else one of them may be borrowed.",
        "请以记录中的标识向颁发机构核实。",
        "Ask the issuer, by the identifier in the record.",
    ),
    "identifier": _a(
        "标识是证照的唯一编号，写法不对就不是颁发机构所编。",
        "The identifier is the license's one number; wrongly formed, no issuer gave it.",
        *_REFUSE,
    ),
    "issuer": _a(
        "只有有权的机构颁发的证照才有效力，名称相同不等于机构相同。",
        "Only the competent authority's license counts, and a like name does not make the same authority.",
        "请向所印的机关核实。",
        "Ask the authority that is printed.",
    ),
    "remit": _a(
        "颁发权限限定了机构可颁发的证照类型和地区。",
        "A remit says which types and places an issuer may issue for.",
        "请向主管部门核实该机构的颁发权限。",
        "Ask the authority above about this issuer's remit.",
    ),
    "note-license": _a(
        "签名说明是谁签署的，但文件不是证照。",
        "The signature says who signed; the file is no license.",
        "需要证照时，请索取证照原件。",
        "Where a license is needed, ask for the license itself.",
    ),
    "report": _a(
        "验证报告说明对另一文件的检查结果，本身不是证照。",
        "A report tells of the checks made on another file; it is no license.",
        "请按报告中的摘要核对所指的文件。",
        "Compare the digest in the report with the file it tells of.",
    ),
    "sample": _a(
        "样本供试用，不具有法律效力。",
        "A sample is for trials and has no legal effect.",
        "请勿作为证照接受。",
        "Do not accept it as a license.",
    ),
    "vault": _a(
        "颁发机构自己的记载是最后的依据。",
        "The issuer's own files have the last word.",
        "请以标识向颁发机构核实。",
        "Ask the issuer, by the identifier.",
    ),
    "token": _a(
        "结构化记录里没有签名的内容，谁都可以加进去。",
        "What is not signed in a structured record, anybody may have put there.",
        "请拒收，并请持证主体重新出示。",
        "Refuse it, and have the holder present it again.",
    ),
    "withheld": _a(
        "出示人可以只出示部分数据，未出示的数据无从核对。",
        "Whoever presents it may show a part only; what is not shown cannot be checked.",
        "需要其余数据时，请出示人一并出示。",
        "Where the rest is needed, ask for it to be shown.",
    ),
    "holder": _a(
        "没有持有证明，出示的人不一定是持证主体。",
        "Without proof of holding, whoever shows it need not be the holder.",
        "请核对出示人的身份，或请其用钱包重新出示。",
        "Check who presents it, or have it presented from the wallet.",
    ),
    "code": _a(
        "读不出的二维码无法核对。",
        "A code that cannot be read cannot be checked.",
        "请对准单个二维码，光线充足时重新拍摄。",
        "Take one code alone, in good light, and try again.",
    ),
    "code-contradicts": _a(
        "真的二维码可以从别处抄来，所示的其他内容却是改过的。",
        "A genuine code can be copied from elsewhere; what is shown around it was edited.",
        *_REFUSE,
    ),
    "code-key": _a(
        "不知道签署二维码的密钥，就无法得知其真伪。",
        "Without the key that signed it a code cannot be told from a copy.",
        "请联网验证，或给出颁发机构的二维码证书。",
        "Verify online, or give the issuer's code certificate as trusted.",
    ),
    "seal": _a(
        "印章本身、制章者和签章者都须符合标准，盖章才有依据。",
        "A sealing rests on the seal, its maker and its signer; each must be as the standard asks.",
        *_REFUSE,
    ),
    "permitted-lapse": _a(
        "第 5 版印章以制章时的证书状态为准。",
        "A seal of version 5 goes by its maker's certificate at the time it was made.",
        *_NOTHING,
    ),
    "seal-pending": _a(
        "由多个机构共同盖章的证照，盖齐之后才生效。",
        "A license that several organizations seal counts once all of them have.",
        "请向颁发机构索取盖齐印章的证照。",
        "Ask the issuer for the license with all its seals.",
    ),
    "seal-alone": _a(
        "谁都可以取得一枚印章的数据；盖章须由签章者另行签名。",
        "Anybody can come by a seal's data; a sealing is signed anew by its signer.",
        "请勿把印章本身当作已盖章的文件。",
        "Do not take the seal itself for a sealed document.",
    ),
    "seal-data": _a(
        "签章值只含原文的杂凑值，没有原文就不知道盖在什么上。",
        "A signature value holds only the document's digest; without the document nobody knows what was sealed.",
        "请与原文一起验证（命令行用 --data 给出原文）。",
        "Verify it with the document: certvault seal inspect --data.",
    ),
    "not-in-force": _a(
        "证照本身可以是真的，但此刻不具有效力。",
        "The license may well be genuine; at this moment it has no effect.",
        "请持证主体提供现行有效的证照，或向颁发机构核实。",
        "Ask the holder for one in force, or ask the issuer.",
    ),
    "status": _a(
        "没有可信的状态信息，就不知道证照是否已被暂停或吊销。",
        "Without a trustworthy status it is not known whether the license was suspended or revoked.",
        "请联网后重新验证，或向颁发机构查询。",
        "Verify again online, or ask the issuer.",
    ),
    "history": _a(
        "状态列表只说明现在；过去时刻的效力出自证照库不可更改的办理记录。",
        "A status list tells of now; what held at a past moment comes from the vault's unchangeable history.",
        "需要作为证据时，请留存签署的答复。",
        "Keep the signed answer (certvault status --at) where it is to serve as evidence.",
    ),
    "trust-list": _a(
        "所知的其他区域只来自其信任列表；不合规则的锚或列表不予采用，原有的保留。",
        "What is known of another region comes from its trust list; one that breaks the rules is not adopted.",
        "请再次同步；仍然如此时，请与该区域核实。",
        "Sync again; if it stays, ask that region by another way.",
    ),
    "kit": _a(
        "离线包只说明其区域在制作时所知，其后的变化要等到下一个。",
        "A kit tells what its region knew when it was made; what came after is in the next one.",
        "请向该区域索取新的离线包，或联网验证。",
        "Get a new kit from that region, or verify online.",
    ),
    "recognition": _a(
        "其他区域的证照按互认约定才在本地具有效力。",
        "A license of another region counts here under an agreement only.",
        "请向互认主管部门查询。",
        "Ask those in charge of recognition.",
    ),
    "region": _a(
        "只有采纳了某区域的信任列表，才知道谁可以在那里颁发证照。",
        "Who may issue licenses in a region is known only once its trust list was adopted.",
        "请管理员采纳该区域的信任列表后重新验证。",
        "Have the region's trust list adopted (certvault region adopt), and verify again.",
    ),
    "region-issuer": _a(
        "证照只在颁发机构的权限之内有效，权限以其区域的信任列表为准。",
        "A license counts within its issuer's remit only, which the trust list of its region states.",
        "不予承认；请向该区域核实。",
        "Do not recognize it; ask that region.",
    ),
    "conditions": _a(
        "互认协议只接受满足其条件的证照。",
        "The agreement accepts licenses that meet its conditions only.",
        "请持证主体提供满足条件的证照或载体，或按本地规定办理。",
        "Ask the holder for a license or carrier that meets them, or follow the procedure here.",
    ),
    "narrowed": _a(
        "两地对同一类证照规定的范围可能不同。",
        "Two regions may give one type a different scope.",
        "请按本地范围办理，以协议说明为准。",
        "Go by the scope here, as the agreement says.",
    ),
    "mapping": _a(
        "两地的字段名称和取值可能不同，按协议换成本地的。",
        "Names and values of fields differ between regions; the agreement translates them.",
        "以证照原件上的内容为准；缺少的字段请向持证主体索取。",
        "What stands on the license itself is decisive; ask the holder for what is missing.",
    ),
    "knowledge": _a(
        "互认所依据的信息有其时间，越新越可靠。",
        "What recognition rests on has an age; the newer, the better.",
        "无需处理。",
        "Nothing needs to be done.",
    ),
}

BEGINNINGS: tuple[tuple[str, str], ...] = (
    ("REGION_", "region"),
    ("ISSUER_OUTSIDE_", "region-issuer"), ("ISSUER_LEVEL_", "conditions"), ("ISSUED_OUTSIDE_", "conditions"),
    ("TYPE_NARROWED", "narrowed"), ("CARRIER_", "conditions"), ("ASSURANCE_", "conditions"), ("FIELD_", "mapping"),
    ("SEAL_STRUCTURE_", "written"), ("RECOGNITION_STANDING_", "status"), ("RECOGNITION_KNOWLEDGE", "knowledge"),
    ("FILE_TOO_LARGE", "limit"), ("LIMIT_", "limit"), ("TIME_EXCEEDED", "limit"), ("FILE_", "unreadable"),
    ("NOT_READABLE", "unreadable"), ("PDF_ENCRYPTED", "encrypted"), ("PDF_", "unreadable"),
    ("CMS_BROKEN", "unreadable"), ("SIGNATURE_EMPTY", "unreadable"), ("SIGNATURE_OTHER_FORM", "written"),
    ("ALGORITHM_UNSUPPORTED", "unsupported"), ("ALGORITHM_", "weak"), ("HASHES_DIFFER", "hashes"),
    ("UNSIGNED", "unsigned"), ("BYTE", "bytes"), ("CONTENTS_", "bytes"), ("CMS_NOT_", "bytes"), ("DSS_", "bytes"),
    ("CHANGE_PERMITTED", "permitted"), ("CHANGE_", "altered"), ("NO_TRUSTED_PATH", "path"),
    ("AUTHORITY_", "lookalike"), ("PATH_", "path-wrong"), ("EXAMPLE_", "example"),
    ("CERTIFICATE_NOT_YET_", "not-yet"), ("CERTIFICATE_REVOKED", "revoked"), ("CERTIFICATE_PURPOSE", "purpose"),
    ("CERTIFICATE_", "expired"), ("REVOCATION_", "revocation"), ("TIMESTAMP_UNTRUSTED", "timestamp"),
    ("TIMESTAMP_", "altered"), ("TIME_", "time"), ("SIGNED_IN_", "time"), ("LATER_", "addition"),
    ("HIDDEN_", "hidden"), ("SHADOW_", "hidden"), ("CHECK_NOT_RUN", "not-run"), ("INTERNAL", "internal"),
    ("RECEIPT_", "unreadable"),
    ("RECORD_TOKEN_", "unreadable"), ("RECORD_DISCLOSURE_", "token"), ("RECORD_WITHHELD", "withheld"),
    ("RECORD_HOLDER_", "holder"), ("RECORD_", "record"), ("DATES_", "record"), ("PAGE_CODE_", "page-code"),
    ("PAGE_", "page"), ("IDENTIFIER_CHECK_VARIANT", "written"), ("IDENTIFIER_", "identifier"), ("ISSUE", "issuer"),
    ("REMIT_", "remit"), ("NOT_A_LICENSE", "note-license"), ("VERIFICATION_REPORT", "report"), ("SAMPLE", "sample"),
    ("VAULT_", "vault"), ("CODE_KEY_", "code-key"), ("CODE_CONTRADICTS_PAGE", "code-contradicts"),
    ("SEAL_FORMAT", "unreadable"), ("SEAL_SIG", "altered"), ("SEAL_MAKER_LAPSED", "permitted-lapse"),
    ("SEAL_PENDING", "seal-pending"),
    ("SEAL_DATA_ABSENT", "seal-data"), ("SEAL_ALONE", "seal-alone"), ("SEAL_", "seal"), ("SIGNER_", "seal"),
    ("SIGN_TIME_", "seal"), ("REVOKED_BEFORE_", "revoked"), ("CODE_NOT_CHECKABLE", "code-key"), ("CODE_", "code"),
    ("STATUS_SUSPENDED", "not-in-force"),
    ("STATUS_REVOKED", "not-in-force"), ("STATUS_SUPERSEDED", "not-in-force"), ("EXPIRED", "not-in-force"),
    ("NOT_YET_", "not-in-force"), ("STATUS_", "status"), ("STANDING_FROM_", "history"),
    ("STANDING_", "status"), ("RECOGNITION_", "recognition"), ("ANCHOR_", "trust-list"),
    ("TRUST_LIST_", "trust-list"), ("KIT_", "kit"),
)  # fmt: skip
"""Which kind a code is of: the first beginning that fits. Others go by the answer they move."""

_FALLBACK = {
    ("integrity", "FATAL"): "altered", ("integrity", "DOUBT"): "unreadable", ("integrity", "NOTE"): "permitted",
    ("conclusion", "FATAL"): "record", ("conclusion", "DOUBT"): "not-run", ("conclusion", "NOTE"): "permitted",
}  # fmt: skip


def advice_for(code: str, meaning: Meaning) -> Advice:
    """The advice on a code."""
    for beginning, kind in BEGINNINGS:
        if code.startswith(beginning):
            return KINDS[kind]
    about, severity = meaning.about.value, meaning.severity.value
    return KINDS[_FALLBACK.get((about, severity), "status" if about == "standing" else "recognition")]
