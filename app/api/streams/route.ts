import { appRoute } from "@/app/lib/auth";
import { getStreams, postStream } from "@/app/lib/streams/handlers";

export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = appRoute("/api/streams", {
  GET: getStreams,
  POST: postStream,
});
