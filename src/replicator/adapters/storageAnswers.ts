/**
 * Refuses answers that are not the blob service's. A login page or a captive portal answers 200 with HTML to everything: as a listing it is
 * empty, as a blob's properties it is a blob of the page's length, and as the answer to a write it is a success.
 */
import { newPipeline, RestError, type RequestPolicyFactory, type StoragePipelineOptions } from "@azure/storage-blob";

type PipelineCredential = Parameters<typeof newPipeline>[0];
type Pipeline = ReturnType<typeof newPipeline>;

/** The SDK's own pipeline, and in it the refusal: `storage_unavailable` in the end. */
export function storagePipeline(credential: PipelineCredential, options: StoragePipelineOptions): Pipeline {
  const pipeline = newPipeline(credential, options);
  pipeline.factories.push(onlyStorageAnswers);
  return pipeline;
}

const onlyStorageAnswers: RequestPolicyFactory = {
  create: (next) => ({
    sendRequest: async (request) => {
      const response = await next.sendRequest(request);
      if (isOwnAnswer(response.headers)) return response;
      const advice = "is something between here and the blob service, a login page for instance?";
      throw new RestError(`${request.method} answered ${response.status} without the headers of a blob service: ${advice}`, {
        code: FOREIGN,
      });
    },
  }),
};

/** Stands where the service's own code, or an errno, would. */
export const FOREIGN = "not an answer of a blob service";

/** Every answer of the service has both headers, refusals too. */
export function isOwnAnswer(headers: { get(name: string): string | undefined }): boolean {
  return headers.get("x-ms-request-id") !== undefined || headers.get("x-ms-version") !== undefined;
}
