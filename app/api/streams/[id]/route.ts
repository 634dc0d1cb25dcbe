import { appRoute } from "@/app/lib/auth";
import { getStream } from "@/app/lib/streams/handlers";

export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = appRoute("/api/streams/{id}", {
  GET: getStream,
});
