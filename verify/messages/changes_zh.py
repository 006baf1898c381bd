"""Chinese wording of what changed after a signature: the phrases of :mod:`verify.checks.changes`."""

CHANGES: dict[str, str] = {
    # kinds of permitted change
    "validation data": "验证数据",
    "a document timestamp": "文档时间戳",
    "a signature": "签名",
    "a signature field": "签名域",
    "form data": "表单数据",
    "annotations": "批注",
    "document properties": "文档属性",
    "structure for new fields": "新域所需的结构标签",
    "notes on the file format": "文件格式说明",
    "parts written again, or left unused": "重新写入或未被使用的部分",
    # the file
    "the trailer was changed": "文件尾部字典被改动",
    "the encryption was changed": "加密方式被改动",
    "the file identifier was changed": "文件标识被改动",
    "a later revision has no catalog": "后来的修订没有文档目录",
    "the catalog was changed": "文档目录被改动",
    "the permissions of the certification were changed": "认证签名的权限被改动",
    "scripts or actions were changed": "脚本或动作被改动",
    "the layers of the document were changed": "文档的图层被改动",
    "embedded files or names were changed": "嵌入文件或名称被改动",
    # pages
    "pages were added": "增加了页面",
    "pages were removed": "删除了页面",
    "the page tree is broken or was changed": "页面树损坏或被改动",
    "the content of a page was changed": "页面内容被改动",
    "fonts, pictures or other resources of a page were changed": "页面的字体、图片或其他资源被改动",
    "the size, crop or rotation of a page was changed": "页面的尺寸、裁切或旋转被改动",
    "a page was changed": "页面被改动",
    # annotations
    "an annotation was added that covers or adds content": "增加了会遮盖或添加内容的批注",
    "an annotation was removed": "批注被删除",
    "an annotation was changed": "批注被改动",
    "an added annotation covers printed text": "增加的批注遮盖了页面文字",
    "an added field without a signature covers printed text": "增加的未签名的签名域遮盖了页面文字",
    "the list of annotations of a page is broken": "页面的批注列表损坏",
    # forms
    "the form was removed": "表单被删除",
    "the form was changed": "表单被改动",
    "the list of form fields is broken": "表单域列表损坏",
    "a form field was added that is no signature field": "增加了签名域以外的表单域",
    "a form field was added inside another one": "在已有表单域内增加了表单域",
    "the name of an added form field is missing, twice or malformed": "增加的表单域名称缺失、重复或不合规",
    "a form field was removed": "表单域被删除",
    "a form field was changed in more than its value": "表单域除填写值外还有改动",
    "the type of a form field was changed": "表单域的类型被改动",
    "a locked or read-only form field was changed": "已锁定或只读的表单域被改动",
    "form data were changed though the certification forbids it": "认证签名不允许，却改动了表单数据",
    "a signature was added though the certification or a lock forbids it": "认证签名或锁定不允许，却增加了签名",
    "a visible signature field was added to a certified document": "在已认证的文件上增加了可见的签名域",
    "a signature was removed or replaced": "签名被删除或替换",
    "a signature field shows a signature that signed an earlier revision": "签名域使用了此前修订中的签名",
    "the value of an added signature field is malformed": "增加的签名域的值不合规",
    "the appearance of a form field was replaced though its value is the same": "表单域的值未变，外观却被替换",
    "a form field shows something other than its value": "表单域显示的内容与其值不同",
    "the appearance of a form field was replaced by pictures or other objects": "表单域的外观被图片或其他对象替换",
    "a button shows a state that it does not have": "按钮显示了它不具有的状态",
    "what the appearance of a form field shows cannot be read": "无法读取表单域外观所显示的内容",
    # structure, metadata, validation data
    "the structure of the document (tags) was changed": "文档结构标签被改动",
    "the structure of the document (tags) runs in a circle": "文档结构标签循环引用",
    "the metadata are no plain XMP": "元数据不是规范的格式",
    "the document properties are malformed": "文档属性不合规",
    "validation data were removed": "验证数据被删除",
    "the validation data are malformed": "验证数据不合规",
    "validation data overwrite an object of the signed revision": "验证数据覆盖了签名修订中的对象",
    "the notes on extensions are malformed": "扩展说明不合规",
    # bytes
    "the signature covers no whole revision": "签名没有覆盖一个完整的修订",
    "objects that no cross-reference lists change what repairing viewers show": (
        "交叉引用未列出的对象会改变阅读器修复后显示的内容"
    ),
    "bytes after the signed part belong to nothing": "签名范围之后有不属于任何结构的字节",
    "the cross-references after the signed part are broken": "签名范围之后的交叉引用损坏",
    "viewers can read what follows the signed part in two ways": "签名范围之后的内容，不同阅读器会有不同的解读",
    "compared values": "需比较的值",
    # to look at
    "the box of a later signature lies over printed text": "后加签名的区域盖在页面文字上",
    "a form field is shown in a font that came with its value": "表单域使用了随填写值带入的字体",
    "fields are to be drawn anew, and show something other than their values now": (
        "表单域将被重新绘制，而目前显示的内容与其值不同"
    ),
    "comments were added after certification, as it allows": "认证后按许可增加了批注",
}
"""English phrase to Chinese phrase."""
