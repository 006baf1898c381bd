import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.tsl.ParsingInfoRecord;
import eu.europa.esig.dss.model.tsl.TLInfo;
import eu.europa.esig.dss.model.tsl.TrustService;
import eu.europa.esig.dss.model.tsl.TrustServiceProvider;
import eu.europa.esig.dss.model.tsl.TrustServiceStatusAndInformationExtensions;
import eu.europa.esig.dss.model.tsl.ValidationInfoRecord;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.tsl.TrustedListsCertificateSource;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.tsl.function.GrantedTrustAnchorPeriodPredicate;
import eu.europa.esig.dss.tsl.job.TLValidationJob;
import eu.europa.esig.dss.tsl.source.TLSource;
import eu.europa.esig.dss.tsl.sync.ExpirationAndSignatureCheckStrategy;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import java.io.File;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads ETSI trusted lists with EU DSS, without network, and judges documents by what they list.
 *
 * <p>Lists must be of version 6, unexpired, and signed by the given certificate; certificates are trusted while their
 * service is granted. usage: TrustListJudge SIGNER.pem LIST.xml[,FILE...]...; prints one JSON object for each list.
 */
public final class TrustListJudge {
    private TrustListJudge() {}

    public static void main(String[] args) {
        CommonTrustedCertificateSource signers = new CommonTrustedCertificateSource();
        signers.addCertificate(DSSUtils.loadCertificate(new File(args[0])));
        for (int next = 1; next < args.length; next++) {
            String[] files = args[next].split(",");
            Map<String, Object> answer = new LinkedHashMap<>();
            try {
                TrustedListsCertificateSource trusted = read(files[0], signers, answer);
                List<Object> documents = new ArrayList<>();
                for (int i = 1; i < files.length; i++) {
                    documents.add(judge(files[i], trusted));
                }
                answer.put("documents", documents);
            } catch (Exception error) {
                answer.put("error", error.toString());
            }
            System.out.println(Json.of(answer));
        }
        System.exit(0); // the job's threads are no daemons
    }

    private static TrustedListsCertificateSource read(
            String file, CommonTrustedCertificateSource signers, Map<String, Object> answer) {
        TLSource source = new TLSource();
        source.setUrl("http://127.0.0.1/trust-list.xml");
        source.setCertificateSource(signers);
        source.setTLVersions(List.of(6));
        source.setTrustAnchorValidityPredicate(new GrantedTrustAnchorPeriodPredicate());
        TrustedListsCertificateSource trusted = new TrustedListsCertificateSource();
        TLValidationJob job = new TLValidationJob();
        job.setTrustedListSources(source);
        job.setOfflineDataLoader(url -> new FileDocument(file));
        job.setTrustedListCertificateSource(trusted);
        job.setSynchronizationStrategy(new Strict());
        job.offlineRefresh();
        TLInfo info = job.getSummary().getOtherTLInfos().get(0);
        signature(info.getValidationCacheInfo(), answer);
        content(info.getParsingCacheInfo(), answer);
        answer.put("trusted", trusted.getNumberOfCertificates());
        return trusted;
    }

    /** DSS's own strategy takes in a list whose validation ended in an error, such as one without any signature. */
    private static final class Strict extends ExpirationAndSignatureCheckStrategy {
        @Override
        public boolean canBeSynchronized(TLInfo list) {
            ValidationInfoRecord validated = list.getValidationCacheInfo();
            return validated != null && validated.isResultExist() && super.canBeSynchronized(list);
        }
    }

    private static void signature(ValidationInfoRecord found, Map<String, Object> answer) {
        answer.put("indication", found.getIndication());
        answer.put("sub_indication", found.getSubIndication());
        answer.put("signature_error", found.getExceptionMessage());
    }

    private static void content(ParsingInfoRecord found, Map<String, Object> answer) {
        answer.put("parsing_error", found.getExceptionMessage());
        if (!found.isResultExist()) {
            return;
        }
        answer.put("structure", found.getStructureValidationMessages());
        answer.put("sequence", found.getSequenceNumber());
        answer.put("territory", found.getTerritory());
        answer.put("points", found.getDistributionPoints());
        answer.put("type", found.getTSLType() == null ? null : found.getTSLType().getUri());
        List<Object> services = new ArrayList<>();
        for (TrustServiceProvider provider : found.getTrustServiceProviders()) {
            for (TrustService service : provider.getServices()) {
                services.add(service(provider, service));
            }
        }
        answer.put("services", services);
    }

    private static Map<String, Object> service(TrustServiceProvider provider, TrustService service) {
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("provider", provider.getNames());
        List<Object> certificates = new ArrayList<>();
        for (CertificateToken certificate : service.getCertificates()) {
            certificates.add(DSSUtils.toHex(certificate.getDigest(DigestAlgorithm.SHA256)));
        }
        one.put("certificates", certificates);
        List<Object> statuses = new ArrayList<>();
        for (TrustServiceStatusAndInformationExtensions status : service.getStatusAndInformationExtensions()) {
            one.putIfAbsent("names", status.getNames());
            one.putIfAbsent("type", status.getType());
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("status", status.getStatus());
            entry.put("from", status.getStartDate().toInstant());
            Date end = status.getEndDate();
            entry.put("until", end == null ? null : end.toInstant());
            statuses.add(entry);
        }
        one.put("statuses", statuses);
        return one;
    }

    private static Map<String, Object> judge(String file, TrustedListsCertificateSource trusted) {
        SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(file));
        CommonCertificateVerifier verifier = new CommonCertificateVerifier();
        verifier.setTrustedCertSources(trusted);
        verifier.setAIASource(null);
        validator.setCertificateVerifier(verifier);
        SimpleReport report = validator.validateDocument().getSimpleReport();
        return PadesJudge.signature(report, report.getFirstSignatureId());
    }
}
