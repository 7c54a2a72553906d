import { describe, expect, it } from "vitest";
import { encodedKey, presignedGet } from "../../../src/replicator/adapters/s3Presign.ts";

describe("a presigned URL", () => {
  it("is the one of the service's documentation", () => {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html, its example.
    const url = presignedGet({
      url: new URL("https://examplebucket.s3.amazonaws.com/test.txt"),
      region: "us-east-1",
      accessKeyId: "AKIAIOSFODNN7EXAMPLE",
      secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
      sessionToken: null,
      now: Date.UTC(2013, 4, 24),
      expiresIn: 86_400,
    });
    expect(url).toBe(
      "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    );
  });

  it("carries a session's token, under the signature", () => {
    const input = {
      url: new URL("https://b.example/k"),
      region: "eu-west-1",
      accessKeyId: "A",
      secretAccessKey: "S",
      now: 0,
      expiresIn: 60,
    };
    const url = new URL(presignedGet({ ...input, sessionToken: "a/token+==" }));
    expect(url.searchParams.get("X-Amz-Security-Token")).toBe("a/token+==");
    const without = new URL(presignedGet({ ...input, sessionToken: null }));
    expect(url.searchParams.get("X-Amz-Signature")).not.toBe(without.searchParams.get("X-Amz-Signature"));
  });

  it("encodes keys but for their slashes", () => {
    expect(encodedKey("vod/100% a+b/it's (1)!*.ts")).toBe("vod/100%25%20a%2Bb/it%27s%20%281%29%21%2A.ts");
  });
});
