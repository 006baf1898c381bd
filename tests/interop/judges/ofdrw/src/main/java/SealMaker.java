import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1GeneralizedTime;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1UTCTime;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERIA5String;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.jcajce.provider.digest.SM3;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.ofdrw.gm.cert.PKCGenerate;
import org.ofdrw.gm.ses.v1.SES_ESPictrueInfo;
import org.ofdrw.gm.ses.v1.SES_Header;
import org.ofdrw.gm.ses.v4.CertDigestList;
import org.ofdrw.gm.ses.v4.CertDigestObj;
import org.ofdrw.gm.ses.v4.CertInfoList;
import org.ofdrw.gm.ses.v4.SES_CertList;
import org.ofdrw.gm.ses.v4.SES_ESPropertyInfo;
import org.ofdrw.gm.ses.v4.SES_SealInfo;
import org.ofdrw.gm.ses.v4.SES_Signature;
import org.ofdrw.gm.ses.v4.SESeal;
import org.ofdrw.gm.ses.v4.TBS_Sign;
import org.ofdrw.gm.sm2strut.ContentInfo;
import org.ofdrw.gm.sm2strut.OIDs;
import org.ofdrw.gm.sm2strut.SignedData;
import org.ofdrw.gm.sm2strut.builder.PKCS9SignedDataBuilder;
import org.ofdrw.gm.sm2strut.builder.SignedDataBuilder;

/**
 * Seals, seal signatures and GB/T 35275 values as ofdrw writes them, under a small tree of SM2 certificates.
 *
 * <p>usage: SealMaker FOLDER DOCUMENT; writes {@code root.der}, {@code v1.esl}, {@code v4.esl}, {@code v4-digest.esl}
 * and signatures over DOCUMENT beside them, {@code .dat}; {@code attributes.p7s} and {@code plain.p7s}.
 */
public final class SealMaker {
    private static final ASN1ObjectIdentifier SM2_WITH_SM3 = new ASN1ObjectIdentifier("1.2.156.10197.1.501");
    private static final long DAY = 86_400_000L;
    private static final BouncyCastleProvider BC = new BouncyCastleProvider();
    private static final Date START = new Date(System.currentTimeMillis() / 1000 * 1000 - DAY);

    /** A key and its certificate. */
    private record Hand(PrivateKey key, X509Certificate certificate) {
        byte[] sign(byte[] message) throws Exception {
            Signature signature = Signature.getInstance(SM2_WITH_SM3.getId(), BC);
            signature.initSign(key);
            signature.update(message);
            return signature.sign();
        }

        ASN1OctetString octets() throws Exception {
            return new DEROctetString(certificate.getEncoded());
        }
    }

    private final Hand maker;
    private final Hand signer;
    private final byte[] document;

    private SealMaker(Hand maker, Hand signer, byte[] document) {
        this.maker = maker;
        this.signer = signer;
        this.document = document;
    }

    public static void main(String[] args) throws Exception {
        java.security.Security.addProvider(BC);
        Path folder = Path.of(args[0]);
        KeyPair rootKeys = PKCGenerate.GenerateKeyPair();
        X509Certificate root = certificate(1, "root", rootKeys.getPublic(), rootKeys.getPrivate(), null);
        Hand maker = hand(2, "maker", rootKeys.getPrivate(), root);
        Hand signer = hand(3, "33010600000001", rootKeys.getPrivate(), root);
        SealMaker all = new SealMaker(maker, signer, Files.readAllBytes(Path.of(args[1])));
        Files.write(folder.resolve("root.der"), root.getEncoded());
        all.first(folder);
        all.fourth(folder, "v4", false);
        all.fourth(folder, "v4-digest", true);
        all.cms(folder);
    }

    private static Hand hand(int serial, String name, PrivateKey authority, X509Certificate root) throws Exception {
        KeyPair keys = PKCGenerate.GenerateKeyPair();
        return new Hand(keys.getPrivate(), certificate(serial, name, keys.getPublic(), authority, root));
    }

    private static X509Certificate certificate(
            int serial, String name, PublicKey key, PrivateKey authority, X509Certificate issuer) throws Exception {
        X500Name subject = new X500Name("C=CN,CN=" + name);
        X500Name by = issuer == null ? subject : X500Name.getInstance(issuer.getSubjectX500Principal().getEncoded());
        JcaX509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                by, BigInteger.valueOf(serial), START, new Date(START.getTime() + 400 * DAY), subject, key);
        boolean top = issuer == null;
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(top));
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(
                top ? KeyUsage.keyCertSign | KeyUsage.cRLSign : KeyUsage.digitalSignature | KeyUsage.nonRepudiation));
        JcaX509ExtensionUtils more = new JcaX509ExtensionUtils();
        builder.addExtension(Extension.subjectKeyIdentifier, false, more.createSubjectKeyIdentifier(key));
        if (!top) {
            builder.addExtension(Extension.authorityKeyIdentifier, false, more.createAuthorityKeyIdentifier(issuer));
        }
        return new JcaX509CertificateConverter().setProvider(BC)
                .getCertificate(builder.build(new JcaContentSignerBuilder("SM3WithSM2").setProvider(BC).build(authority)));
    }

    private static SES_ESPictrueInfo picture() {
        return new SES_ESPictrueInfo().setType("PNG").setData(new byte[] {(byte) 0x89, 'P', 'N', 'G'}).setWidth(42)
                .setHeight(42);
    }

    private void first(Path folder) throws Exception {
        ASN1UTCTime start = new ASN1UTCTime(START, Locale.CHINA);
        ASN1UTCTime end = new ASN1UTCTime(new Date(START.getTime() + 300 * DAY), Locale.CHINA);
        ASN1EncodableVector listed = new ASN1EncodableVector();
        listed.add(signer.octets());
        org.ofdrw.gm.ses.v1.SES_SealInfo info = new org.ofdrw.gm.ses.v1.SES_SealInfo()
                .setHeader(new SES_Header(new ASN1Integer(1), new DERIA5String("OFDR&WTest")))
                .setEsID("33010600000001")
                .setProperty(new org.ofdrw.gm.ses.v1.SES_ESPropertyInfo(
                        org.ofdrw.gm.ses.v1.SES_ESPropertyInfo.OrgType, new DERUTF8String("测试用印章"),
                        new DERSequence(listed), start, start, end))
                .setPicture(picture());
        ASN1EncodableVector covered = new ASN1EncodableVector();
        covered.add(info);
        covered.add(maker.octets());
        covered.add(SM2_WITH_SM3);
        org.ofdrw.gm.ses.v1.SESeal seal = new org.ofdrw.gm.ses.v1.SESeal(info, new org.ofdrw.gm.ses.v1.SES_SignInfo(
                maker.octets(), SM2_WITH_SM3,
                new DERBitString(maker.sign(new DERSequence(covered).getEncoded("DER")))));
        Files.write(folder.resolve("v1.esl"), seal.getEncoded("DER"));
        org.ofdrw.gm.ses.v1.TBS_Sign signed = new org.ofdrw.gm.ses.v1.TBS_Sign(
                new ASN1Integer(1), seal, new DERBitString(new ASN1UTCTime(new Date(), Locale.CHINA)),
                new DERBitString(new SM3.Digest().digest(document)), new DERIA5String("/Doc_0/Signs/Sign_0/Signature.xml"),
                signer.octets(), SM2_WITH_SM3);
        byte[] value = signer.sign(signed.getEncoded("DER"));
        Files.write(folder.resolve("v1.dat"),
                new org.ofdrw.gm.ses.v1.SES_Signature(signed, new DERBitString(value)).getEncoded("DER"));
    }

    private void fourth(Path folder, String name, boolean byDigest) throws Exception {
        ASN1GeneralizedTime start = new ASN1GeneralizedTime(START, Locale.CHINA);
        ASN1GeneralizedTime end = new ASN1GeneralizedTime(new Date(START.getTime() + 300 * DAY), Locale.CHINA);
        byte[] digest = new SM3.Digest().digest(signer.certificate.getEncoded());
        SES_CertList list = byDigest
                ? new SES_CertList(new CertDigestList().add(
                        new CertDigestObj().setType("1.2.156.10197.1.401").setValue(digest)))
                : new SES_CertList(new CertInfoList().add(signer.octets()));
        SES_SealInfo info = new SES_SealInfo()
                .setHeader(new SES_Header(SES_Header.V4, new DERIA5String("OFDR&WTest")))
                .setEsID("33010600000001")
                .setProperty(new SES_ESPropertyInfo(
                        new ASN1Integer(3), new DERUTF8String("测试用印章"),
                        byDigest ? SES_ESPropertyInfo.CertDigestListType : SES_ESPropertyInfo.CertListType,
                        list, start, start, end))
                .setPicture(picture());
        SESeal seal = new SESeal(info, maker.octets(), SM2_WITH_SM3, new DERBitString(maker.sign(info.getEncoded("DER"))));
        Files.write(folder.resolve(name + ".esl"), seal.getEncoded("DER"));
        TBS_Sign signed = new TBS_Sign()
                .setVersion(SES_Header.V4)
                .setEseal(seal)
                .setTimeInfo(new ASN1GeneralizedTime(new Date(), Locale.CHINA))
                .setDataHash(new SM3.Digest().digest(document))
                .setPropertyInfo("/Doc_0/Signs/Sign_0/Signature.xml");
        SES_Signature signature = new SES_Signature()
                .setToSign(signed)
                .setCert(signer.octets())
                .setSignatureAlgID(SM2_WITH_SM3)
                .setSignature(signer.sign(signed.getEncoded("DER")));
        Files.write(folder.resolve(name + ".dat"), signature.getEncoded("DER"));
    }

    private void cms(Path folder) throws Exception {
        Signature signature = Signature.getInstance(SM2_WITH_SM3.getId(), BC);
        signature.initSign(signer.key);
        put(folder, "attributes.p7s",
                PKCS9SignedDataBuilder.signedData(document, signature, signer.certificate, List.of()));
        byte[] digest = new SM3.Digest().digest(document);
        put(folder, "plain.p7s", SignedDataBuilder.signedData(digest, signer.sign(digest), signer.certificate));
    }

    private static void put(Path folder, String name, SignedData signed) throws IOException {
        Files.write(folder.resolve(name), new ContentInfo(OIDs.signedData, signed).getEncoded("DER"));
    }
}
