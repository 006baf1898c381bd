import java.io.FileInputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** Judges each file against PDF/A-3b with veraPDF; prints one JSON object per line. */
public final class PdfaJudge {
    private PdfaJudge() {}

    public static void main(String[] files) {
        VeraGreenfieldFoundryProvider.initialise();
        for (String file : files) {
            System.out.println(Json.of(judge(file)));
        }
    }

    private static Map<String, Object> judge(String file) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("file", file);
        try (FileInputStream in = new FileInputStream(file);
                PDFAParser parser = Foundries.defaultInstance().createParser(in, PDFAFlavour.PDFA_3_B);
                PDFAValidator validator = Foundries.defaultInstance().createValidator(PDFAFlavour.PDFA_3_B, false)) {
            ValidationResult result = validator.validate(parser);
            answer.put("compliant", result.isCompliant());
            answer.put("checks", result.getTotalAssertions());
            List<Object> failures = new ArrayList<>();
            for (TestAssertion assertion : result.getTestAssertions()) {
                if (assertion.getStatus() == TestAssertion.Status.FAILED) {
                    failures.add(failure(assertion));
                }
            }
            answer.put("failures", failures);
        } catch (Exception error) {
            answer.put("compliant", false);
            answer.put("error", error.toString());
        }
        return answer;
    }

    private static Map<String, Object> failure(TestAssertion assertion) {
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("clause", assertion.getRuleId().getClause());
        one.put("test", assertion.getRuleId().getTestNumber());
        one.put("message", assertion.getMessage());
        one.put("where", assertion.getLocation().getContext());
        return one;
    }
}
