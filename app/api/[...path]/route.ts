import { routes } from "wallet-session/next";
import { sessions } from "@/app/lib/auth";

/** Every endpoint of the sessions that has no file of its own. Any other address gets the problem `not_found`. */
export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = routes(sessions.fetch);
