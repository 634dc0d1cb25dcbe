import { appRoute } from "@/app/lib/auth";
import { postResume } from "@/app/lib/operations/handlers";

export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = appRoute("/api/operations/{id}/resume", {
  POST: postResume,
});
