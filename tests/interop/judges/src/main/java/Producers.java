import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.util.Calendar;
import java.util.Date;
import java.util.List;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.cos.COSArray;
import org.apache.pdfbox.cos.COSDictionary;
import org.apache.pdfbox.cos.COSName;
import org.apache.pdfbox.pdfwriter.compress.CompressParameters;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDDocumentInformation;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.PDPageContentStream;
import org.apache.pdfbox.pdmodel.PDResources;
import org.apache.pdfbox.pdmodel.common.PDRectangle;
import org.apache.pdfbox.pdmodel.font.PDFont;
import org.apache.pdfbox.pdmodel.font.PDType1Font;
import org.apache.pdfbox.pdmodel.font.Standard14Fonts;
import org.apache.pdfbox.pdmodel.interactive.annotation.PDAnnotationText;
import org.apache.pdfbox.pdmodel.interactive.annotation.PDAnnotationWidget;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.PDSignature;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.SignatureInterface;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.SignatureOptions;
import org.apache.pdfbox.pdmodel.interactive.form.PDAcroForm;
import org.apache.pdfbox.pdmodel.interactive.form.PDCheckBox;
import org.apache.pdfbox.pdmodel.interactive.form.PDTextField;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/**
 * Signed documents of several revisions as Apache PDFBox writes them, permitted changes and others.
 *
 * <p>usage: Producers FOLDER; the name of each file begins with what it is, {@code genuine} or {@code altered}.
 */
public final class Producers implements SignatureInterface {
    private final KeyPair keys;
    private final X509Certificate certificate;
    private final String algorithm;

    private Producers(String kind, int size, String algorithm) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance(kind);
        generator.initialize(size);
        this.keys = generator.generateKeyPair();
        this.algorithm = algorithm;
        X500Name name = new X500Name("CN=Producer " + kind);
        Date from = new Date(System.currentTimeMillis() - 86_400_000L);
        Date until = new Date(System.currentTimeMillis() + 365 * 86_400_000L);
        JcaX509v3CertificateBuilder builder =
                new JcaX509v3CertificateBuilder(name, BigInteger.valueOf(7), from, until, name, keys.getPublic());
        this.certificate = new JcaX509CertificateConverter()
                .getCertificate(builder.build(new JcaContentSignerBuilder(algorithm).build(keys.getPrivate())));
    }

    @Override
    public byte[] sign(InputStream content) throws IOException {
        try {
            CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
            ContentSigner signer = new JcaContentSignerBuilder(algorithm).build(keys.getPrivate());
            generator.addSignerInfoGenerator(
                    new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().build())
                            .build(signer, certificate));
            generator.addCertificates(new JcaCertStore(List.of(certificate)));
            return generator.generate(new CMSProcessableByteArray(content.readAllBytes()), false).getEncoded();
        } catch (Exception error) {
            throw new IOException(error);
        }
    }

    /** A change of an opened document, to be written as an update. */
    private interface Change {
        void make(PDDocument document) throws Exception;
    }

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        for (String kind : new String[] {"rsa", "ec"}) {
            Producers signer = kind.equals("rsa")
                    ? new Producers("RSA", 2048, "SHA256withRSA")
                    : new Producers("EC", 256, "SHA384withECDSA");
            for (boolean packed : new boolean[] {false, true}) {
                String tail = "-" + kind + (packed ? "-packed" : "-tables") + ".pdf";
                for (int permission = 0; permission <= 3; permission++) {
                    write(folder, signer, drawn(packed), permission, tail);
                }
            }
        }
    }

    private static void write(Path folder, Producers signer, byte[] plain, int permission, String tail) throws Exception {
        String mark = permission == 0 ? "approval" : "p" + permission;
        byte[] signed = signer.signed(plain, permission);
        String fill = permission == 1 ? "altered" : "genuine";
        // a note on a page is content; only a certification can allow it (ISO 32000-2 12.8.2.2, table 257)
        String note = permission == 3 ? "genuine" : "altered";
        put(folder, "genuine-signed-" + mark + tail, signed);
        byte[] filled = updated(signed, Producers::fill);
        put(folder, fill + "-filled-" + mark + tail, filled);
        put(folder, fill + "-filled-twice-" + mark + tail, updated(updated(filled, Producers::tick), Producers::fill));
        put(folder, fill + "-filled-then-signed-" + mark + tail, signer.signed(filled, 0));
        put(folder, fill + "-signed-twice-" + mark + tail, signer.signed(signed, 0));
        put(folder, note + "-noted-" + mark + tail, updated(signed, Producers::comment));
        put(folder, "altered-page-added-" + mark + tail, updated(signed, Producers::addPage));
        put(folder, "altered-page-drawn-over-" + mark + tail, updated(signed, Producers::drawOver));
        put(folder, "altered-page-turned-" + mark + tail, updated(signed, Producers::turn));
        put(folder, "altered-filled-and-drawn-over-" + mark + tail, updated(filled, Producers::drawOver));
    }

    private static void put(Path folder, String name, byte[] data) throws IOException {
        Files.write(folder.resolve(name), data);
    }

    /** One page of words with a form: a text field, a check box. */
    private static byte[] drawn(boolean packed) throws Exception {
        try (PDDocument document = new PDDocument()) {
            PDPage page = new PDPage(PDRectangle.A5);
            document.addPage(page);
            PDFont font = new PDType1Font(Standard14Fonts.FontName.HELVETICA);
            try (PDPageContentStream content = new PDPageContentStream(document, page)) {
                content.beginText();
                content.setFont(font, 14);
                content.newLineAtOffset(40, 500);
                content.showText("Agreement on 100 pieces");
                content.endText();
            }
            PDAcroForm form = new PDAcroForm(document);
            document.getDocumentCatalog().setAcroForm(form);
            PDResources resources = new PDResources();
            resources.put(COSName.getPDFName("Helv"), font);
            form.setDefaultResources(resources);
            form.setDefaultAppearance("/Helv 0 Tf 0 g");
            PDTextField text = new PDTextField(form);
            text.setPartialName("place");
            text.setDefaultAppearance("/Helv 12 Tf 0 g");
            form.getFields().add(text);
            place(text.getWidgets().get(0), page, new PDRectangle(40, 400, 200, 20));
            text.setValue("");
            PDCheckBox box = new PDCheckBox(form);
            box.setPartialName("agreed");
            form.getFields().add(box);
            place(box.getWidgets().get(0), page, new PDRectangle(40, 360, 20, 20));
            COSDictionary looks = new COSDictionary();
            looks.setItem("On", look(document, "0 0 m 20 20 l S"));
            looks.setItem("Off", look(document, ""));
            COSDictionary states = new COSDictionary();
            states.setItem("N", looks);
            box.getWidgets().get(0).getCOSObject().setItem("AP", states);
            box.getWidgets().get(0).getCOSObject().setName("AS", "Off");
            PDDocumentInformation information = new PDDocumentInformation();
            information.setTitle("Agreement");
            document.setDocumentInformation(information);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            document.save(out, packed ? CompressParameters.DEFAULT_COMPRESSION : CompressParameters.NO_COMPRESSION);
            return out.toByteArray();
        }
    }

    private static void place(PDAnnotationWidget widget, PDPage page, PDRectangle box) throws IOException {
        widget.setRectangle(box);
        widget.setPage(page);
        widget.setPrinted(true);
        page.getAnnotations().add(widget);
    }

    private static org.apache.pdfbox.cos.COSStream look(PDDocument document, String operators) throws IOException {
        org.apache.pdfbox.cos.COSStream stream = document.getDocument().createCOSStream();
        stream.setName("Type", "XObject");
        stream.setName("Subtype", "Form");
        stream.setItem("BBox", new PDRectangle(0, 0, 20, 20));
        try (java.io.OutputStream out = stream.createOutputStream()) {
            out.write(operators.getBytes());
        }
        return stream;
    }

    /** Signed in an update; permission 1 to 3 certifies, 0 approves. */
    private byte[] signed(byte[] pdf, int permission) throws Exception {
        try (PDDocument document = Loader.loadPDF(pdf)) {
            PDSignature signature = new PDSignature();
            signature.setFilter(PDSignature.FILTER_ADOBE_PPKLITE);
            signature.setSubFilter(PDSignature.SUBFILTER_ADBE_PKCS7_DETACHED);
            signature.setName("Producer");
            signature.setSignDate(Calendar.getInstance());
            if (permission > 0) {
                certify(document, signature, permission);
            }
            try (SignatureOptions options = new SignatureOptions()) {
                options.setPreferredSignatureSize(6000);
                document.addSignature(signature, this, options);
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                document.saveIncremental(out);
                return out.toByteArray();
            }
        }
    }

    private static void certify(PDDocument document, PDSignature signature, int permission) {
        COSDictionary parameters = new COSDictionary();
        parameters.setName("Type", "TransformParams");
        parameters.setInt("P", permission);
        parameters.setName("V", "1.2");
        COSDictionary reference = new COSDictionary();
        reference.setName("Type", "SigRef");
        reference.setName("TransformMethod", "DocMDP");
        reference.setItem("TransformParams", parameters);
        COSArray references = new COSArray();
        references.add(reference);
        signature.getCOSObject().setItem("Reference", references);
        COSDictionary catalog = document.getDocumentCatalog().getCOSObject();
        COSDictionary permissions = new COSDictionary();
        permissions.setItem("DocMDP", signature);
        catalog.setItem("Perms", permissions);
        catalog.setNeedToBeUpdated(true);
    }

    private static byte[] updated(byte[] pdf, Change change) throws Exception {
        try (PDDocument document = Loader.loadPDF(pdf)) {
            change.make(document);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            document.saveIncremental(out);
            return out.toByteArray();
        }
    }

    private static void fill(PDDocument document) throws IOException {
        PDTextField field = (PDTextField) document.getDocumentCatalog().getAcroForm(null).getField("place");
        field.setValue("Kaifeng" + field.getValue().length());
        touch(field.getCOSObject());
        touch(field.getWidgets().get(0).getCOSObject());
        COSDictionary looks = field.getWidgets().get(0).getCOSObject().getCOSDictionary(COSName.AP);
        touch(looks);
        looks.getCOSStream(COSName.N).setNeedToBeUpdated(true);
    }

    private static void tick(PDDocument document) throws IOException {
        PDCheckBox box = (PDCheckBox) document.getDocumentCatalog().getAcroForm(null).getField("agreed");
        box.check();
        touch(box.getCOSObject());
        touch(box.getWidgets().get(0).getCOSObject());
    }

    private static void comment(PDDocument document) throws IOException {
        PDPage page = document.getPage(0);
        PDAnnotationText note = new PDAnnotationText();
        note.setContents("A remark");
        note.setRectangle(new PDRectangle(300, 300, 20, 20));
        List<org.apache.pdfbox.pdmodel.interactive.annotation.PDAnnotation> all = page.getAnnotations();
        all.add(note);
        page.setAnnotations(all);
        touch(note.getCOSObject());
        touch(page.getCOSObject());
        page.getCOSObject().getCOSArray(COSName.ANNOTS).setNeedToBeUpdated(true);
    }

    private static void addPage(PDDocument document) {
        document.addPage(new PDPage(PDRectangle.A5));
        touch(document.getPages().getCOSObject());
        touch(document.getPage(1).getCOSObject());
    }

    private static void drawOver(PDDocument document) throws IOException {
        PDPage page = document.getPage(0);
        try (PDPageContentStream content =
                new PDPageContentStream(document, page, PDPageContentStream.AppendMode.APPEND, false, true)) {
            content.addRect(100, 490, 120, 30);
            content.fill();
        }
        touch(page.getCOSObject());
    }

    private static void turn(PDDocument document) {
        document.getPage(0).setRotation(90);
        touch(document.getPage(0).getCOSObject());
    }

    private static void touch(COSDictionary dictionary) {
        dictionary.setNeedToBeUpdated(true);
    }
}
