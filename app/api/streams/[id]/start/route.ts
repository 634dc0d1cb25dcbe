import { appRoute } from "@/app/lib/auth";
import { postCommand } from "@/app/lib/streams/handlers";

export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = appRoute("/api/streams/{id}/start", {
  POST: postCommand("start"),
});
