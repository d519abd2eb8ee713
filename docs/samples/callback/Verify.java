// How a business system checks a callback of the platform (§7.3): see docs/callbacks.md. JDK 17 or later, no packages.

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public final class Verify {
    private static final long TOLERANCE_SECONDS = 300;

    private Verify() {}

    /**
     * Returns the fields of a genuine, recent callback, and nothing for anything else. Only fields that the signature
     * covers are returned, so an empty one counts as absent.
     *
     * @param body what arrived, byte for byte
     * @param secrets the callback secrets held (whsec_…)
     * @param now seconds since 1970
     */
    public static Optional<Map<String, String>> verify(byte[] body, List<String> secrets, long now) {
        Map<String, String> fields;
        try {
            fields = new Parser(body).object();
        } catch (IllegalArgumentException malformed) {
            return Optional.empty();
        }
        String sign = fields.remove("sign");
        String signPrevious = fields.remove("sign_previous");
        fields.values().removeIf(String::isEmpty);
        String text = fields.entrySet().stream()
                .map(field -> field.getKey() + "=" + field.getValue())
                .collect(Collectors.joining("&"));
        boolean genuine = secrets.stream()
                .map(Verify::keyOf)
                .flatMap(Optional::stream)
                .map(key -> hmac(key, text))
                .anyMatch(expected -> equal(sign, expected) || equal(signPrevious, expected));
        return genuine && isRecent(fields.get("timestamp"), now) ? Optional.of(fields) : Optional.empty();
    }

    private static boolean isRecent(String timestamp, long now) {
        return timestamp != null
                && timestamp.matches("[0-9]{1,18}")
                && Math.abs(now - Long.parseLong(timestamp)) <= TOLERANCE_SECONDS;
    }

    /** A secret that is not whsec_ and base64 has no key, and nothing is genuine by it. */
    private static Optional<byte[]> keyOf(String secret) {
        if (!secret.startsWith("whsec_")) {
            return Optional.empty();
        }
        try {
            byte[] key = Base64.getDecoder().decode(secret.substring("whsec_".length()));
            return Optional.of(key).filter(bytes -> bytes.length > 0);
        } catch (IllegalArgumentException notBase64) {
            return Optional.empty();
        }
    }

    private static String hmac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return HexFormat.of().formatHex(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException("every Java platform has HmacSHA256", missing);
        }
    }

    /** Compares in a time that does not tell where the difference is. */
    private static boolean equal(String given, String expected) {
        byte[] bytes = Objects.requireNonNullElse(given, "").getBytes(StandardCharsets.UTF_8);
        return MessageDigest.isEqual(bytes, expected.getBytes(StandardCharsets.UTF_8));
    }

    /** Reads a JSON object of strings, in UTF-8 and with each key once. */
    private static final class Parser {
        private final String text;
        private int at = 0;

        Parser(byte[] body) {
            try {
                text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
            } catch (CharacterCodingException notUtf8) {
                throw new IllegalArgumentException(notUtf8);
            }
        }

        /** The fields in ascending order of their keys' bytes, which beyond U+FFFF is not Java's order of strings. */
        Map<String, String> object() {
            Map<String, String> fields = new TreeMap<>((a, b) -> Arrays.compareUnsigned(
                    a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8)));
            expect('{');
            if (!take('}')) {
                do {
                    String key = string();
                    expect(':');
                    require(fields.put(key, string()) == null);
                } while (take(','));
                expect('}');
            }
            skipSpace();
            require(at == text.length());
            return fields;
        }

        private String string() {
            expect('"');
            StringBuilder string = new StringBuilder();
            for (char next = next(); next != '"'; next = next()) {
                require(next >= ' ');
                string.append(next == '\\' ? escaped() : next);
            }
            // A surrogate that stands alone is not Unicode text.
            require(StandardCharsets.UTF_8.newEncoder().canEncode(string));
            return string.toString();
        }

        private char escaped() {
            char letter = next();
            return switch (letter) {
                case '"', '\\', '/' -> letter;
                case 'b' -> '\b';
                case 'f' -> '\f';
                case 'n' -> '\n';
                case 'r' -> '\r';
                case 't' -> '\t';
                case 'u' -> (char) HexFormat.fromHexDigits("" + next() + next() + next() + next());
                default -> throw new IllegalArgumentException("no such escape");
            };
        }

        private char next() {
            require(at < text.length());
            return text.charAt(at++);
        }

        private void expect(char wanted) {
            require(take(wanted));
        }

        /** Passes over white space and, if it comes next, over the character. */
        private boolean take(char wanted) {
            skipSpace();
            boolean there = at < text.length() && text.charAt(at) == wanted;
            at += there ? 1 : 0;
            return there;
        }

        private void skipSpace() {
            while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
        }

        private static void require(boolean holds) {
            if (!holds) {
                throw new IllegalArgumentException("not a JSON object of strings");
            }
        }
    }

    /** Reads lines of now, secrets joined by commas, and base64 of the body, separated by tabs. */
    public static void main(String[] args) throws IOException {
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] parts = line.split("\t", -1);
            byte[] body = Base64.getDecoder().decode(parts[2]);
            var fields = verify(body, List.of(parts[1].split(",")), Long.parseLong(parts[0]));
            System.out.println(fields.isPresent() ? "valid" : "invalid");
        }
    }
}
