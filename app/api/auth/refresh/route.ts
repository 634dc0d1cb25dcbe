import { routes } from "wallet-session/next";
import { sessions } from "@/app/lib/auth";

export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = routes(sessions.fetch);
