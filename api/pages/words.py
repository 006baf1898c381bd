"""The words of the pages, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from verify.formats.refusal import Text


def _t(zh: str, en: str) -> Text:
    return Text(zh, en)


WORDS: Mapping[str, Text] = {
    # every page
    "brand": _t("电子证照库", "certvault"),
    "skip": _t("跳到正文", "Skip to content"),
    "home": _t("首页", "Home"),
    "verify": _t("验证", "Verify"),
    "issue": _t("签发", "Issue"),
    "wallet": _t("我的证照", "My licenses"),
    "sign_in": _t("登录", "Sign in"),
    "sign_out": _t("退出", "Sign out"),
    "other_language": _t("English", "中文"),
    "sample_note": _t(
        "这是示例系统：所签发的证照均标有“样本 SAMPLE”，不具有法律效力。",
        "This is an example system: its licenses are marked 样本 SAMPLE and have no legal effect.",
    ),
    "footer": _t("电子证照签发与验证", "Electronic licenses: issued and verified"),
    "api": _t("接口说明", "Interface description"),
    "root_certificate": _t("根证书", "Root certificate"),
    # home
    "home_title": _t("电子证照，真伪可验", "Licenses that prove themselves"),
    "home_lead": _t(
        "每份证照都由颁发机构加盖电子印章。无论以文件、结构化记录还是纸面二维码出示，任何人都可在此核对真伪与当前效力。",
        "Every license carries its issuer's electronic seal. Shown as a file, a structured record or a printed code, "
        "anyone can check here whether it is genuine and in force.",
    ),
    "home_verify": _t("验证证照", "Verify a license"),
    "home_verify_text": _t(
        "上传 PDF、照片，或扫描证照上的二维码。无需登录。",
        "Upload a PDF or a picture, or scan the code on the license. No sign-in needed.",
    ),
    "home_wallet": _t("我的证照", "My licenses"),
    "home_wallet_text": _t("持证主体查看并下载自己的证照。", "Holders see and download their own licenses."),
    "home_issue": _t("签发证照", "Issue a license"),
    "home_issue_text": _t("颁发机构按证照类型填写数据并签发。", "Issuers enter the data of a license type and issue."),
    "home_types": _t("证照目录", "License types"),
    "column_title": _t("证照名称", "Title"),
    "column_code": _t("类型代码", "Type code"),
    "column_version": _t("版本", "Version"),
    "schema": _t("数据结构", "Schema"),
    "example_code": _t("示例代码", "example"),
    # verify
    "verify_title": _t("验证证照", "Verify a license"),
    "verify_lead": _t("文件只用于本次验证，不会保存。", "What you give is used for this check only and is not kept."),
    "drop": _t("将 PDF、照片或记录拖到这里", "Drop a PDF, a picture or a record here"),
    "choose_file": _t("选择文件", "Choose files"),
    "take_picture": _t("拍照", "Take a picture"),
    "use_camera": _t("用摄像头扫码", "Scan with the camera"),
    "camera_stop": _t("关闭摄像头", "Stop the camera"),
    "camera_shot": _t("拍摄并验证", "Take and verify"),
    "camera_none": _t(
        "无法使用摄像头，请改用“拍照”或上传图片。", "The camera cannot be used. Upload a picture instead."
    ),
    "paste_label": _t("或粘贴二维码内容、链接或记录", "Or paste a code, its link or a record"),
    "paste_button": _t("验证", "Verify"),
    "working": _t("正在验证……", "Verifying…"),
    "failed": _t("未能完成验证", "The check was not completed"),
    "no_script": _t(
        "本页需要启用 JavaScript。也可以在命令行使用 certvault verify 验证。",
        "This page needs JavaScript. You can also verify on the command line with certvault verify.",
    ),
    "result": _t("验证结果", "Result"),
    "answer_integrity": _t("完整性", "Integrity"),
    "answer_conclusion": _t("真伪", "Authenticity"),
    "answer_standing": _t("当前效力", "In force"),
    "answer_at": _t("验证时刻", "Checked as of"),
    "INTACT": _t("完整，未被改动", "Intact"),
    "ALTERED": _t("已被改动", "Altered"),
    "UNSIGNED": _t("没有签章", "Not signed"),
    "UNREADABLE": _t("无法读取", "Unreadable"),
    "VALID": _t("真实", "Genuine"),
    "INVALID": _t("不真实", "Not genuine"),
    "INDETERMINATE": _t("无法确认", "Cannot be confirmed"),
    "IN_FORCE": _t("有效", "In force"),
    "NOT_YET": _t("尚未生效", "Not yet in force"),
    "EXPIRED": _t("已过有效期", "Expired"),
    "SUSPENDED": _t("已暂停", "Suspended"),
    "REVOKED": _t("已吊销", "Revoked"),
    "SUPERSEDED": _t("已被取代", "Superseded"),
    "UNKNOWN": _t("未能查明", "Not known"),
    "place_page": _t("第 {} 页", "page {}"),
    "place_object": _t("对象 {}", "object {}"),
    "place_byte": _t("第 {} 字节", "byte {}"),
    "place_bytes": _t("字节 {}", "bytes {}"),
    "place_field": _t("域 {}", "field {}"),
    "report": _t("下载签署的验证报告：", "Signed report:"),
    "report_pdf": _t("PDF", "PDF"),
    "report_html": _t("网页", "HTML"),
    "password": _t("口令", "Password"),
    "password_try": _t("用口令重新验证", "Verify with the password"),
    "report_failed": _t("未能生成报告，请稍后再试。", "The report was not made. Try again later."),
    "no_standing": _t("不适用", "Does not apply"),
    "license": _t("证照内容（已核验）", "The license (verified)"),
    "identifier": _t("证照标识", "Identifier"),
    "number": _t("证照编号", "Number"),
    "type": _t("证照类型", "Type"),
    "holders": _t("持证主体", "Holder"),
    "issuer": _t("颁发机构", "Issuer"),
    "signatures": _t("签名与签章", "Signatures"),
    "signer": _t("签名人", "Signer"),
    "signed_at": _t("签署时间", "Signed at"),
    "time_timestamp": _t("（时间戳证明）", "(proven by a timestamp)"),
    "time_claimed": _t("（签名人自称）", "(claimed by the signer)"),
    "reasons": _t("检查结果与理由", "Reasons"),
    "no_findings": _t("全部检查通过，没有需要说明的事项。", "All checks passed; there is nothing to remark."),
    "FATAL": _t("否定", "Fails"),
    "DOUBT": _t("存疑", "Doubt"),
    "NOTE": _t("说明", "Note"),
    "about_integrity": _t("完整性", "integrity"),
    "about_conclusion": _t("真伪", "authenticity"),
    "about_standing": _t("效力", "standing"),
    "about_recognition": _t("互认", "recognition"),
    "code_kept": _t(
        "链接中的验证码只在您的浏览器中读取，不会出现在网址请求中。",
        "The code in the link is read in your browser only; it is never part of a requested address.",
    ),
    # sign in
    "sign_in_title": _t("登录", "Sign in"),
    "sign_in_lead": _t("粘贴管理员发给您的访问令牌。", "Paste the access token that the operator gave you."),
    "token": _t("访问令牌", "Access token"),
    "token_wrong": _t("令牌无效、已过期或已撤销。", "The token is wrong, has expired or was withdrawn."),
    "signing_in": _t("正在登录……", "Signing in…"),
    # issue
    "issue_title": _t("签发证照", "Issue a license"),
    "issue_choose": _t("选择证照类型", "Choose a license type"),
    "issue_button": _t("校验并签发", "Check and issue"),
    "issue_note": _t(
        "数据全部通过校验后才会编号、加盖印章。带 * 的为必填项。",
        "Nothing is numbered or sealed before all data is in order. Fields marked * are required.",
    ),
    "fault_count": _t("有数据项需要更正：", "Some fields need correcting:"),
    "please_choose": _t("请选择", "Choose"),
    "example": _t("例：", "e.g. "),
    "issued_title": _t("已签发", "Issued"),
    "download_pdf": _t("下载 PDF", "Download PDF"),
    "download_record": _t("下载结构化记录", "Download structured record"),
    "issue_another": _t("再签发一份", "Issue another"),
    "fingerprint": _t("文件摘要 SHA-256", "SHA-256 of the file"),
    "issued_at": _t("签发时间", "Issued at"),
    # wallet
    "wallet_title": _t("我的证照", "My licenses"),
    "wallet_empty": _t("名下暂无证照。", "There is no license in your name yet."),
    "wallet_archive": _t("全部下载（ZIP）", "Download all (ZIP)"),
    "wallet_archive_note": _t(
        "包含 PDF、结构化记录和可直接打开的索引。", "Holds PDFs, structured records and an index you can open."
    ),
    "validity": _t("有效期", "Validity"),
    "no_end": _t("长期", "no end"),
    "until": _t("至", "to"),
    # problems
    "problem_reference": _t("编号", "Reference"),
    "problem_back": _t("返回首页", "Back to the front page"),
}

SCRIPT_WORDS = (
    "working", "failed", "result", "answer_integrity", "answer_conclusion", "answer_standing", "answer_at",
    "INTACT", "ALTERED", "UNSIGNED", "UNREADABLE", "VALID", "INVALID", "INDETERMINATE", "IN_FORCE", "NOT_YET",
    "EXPIRED", "SUSPENDED", "REVOKED", "SUPERSEDED", "UNKNOWN", "no_standing", "license", "identifier", "number",
    "type", "holders", "issuer", "signatures", "signer", "signed_at", "time_timestamp", "time_claimed", "reasons",
    "no_findings", "FATAL", "DOUBT", "NOTE", "about_integrity", "about_conclusion", "about_standing",
    "about_recognition", "camera_none", "report", "report_pdf", "report_html", "report_failed",
    "password", "password_try",
    "place_page", "place_object", "place_byte", "place_bytes", "place_field",
)  # fmt: skip
"""The words that the verifying page's script needs."""
