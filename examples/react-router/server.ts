import { createRequestListener } from "@react-router/node";
import express from "express";
import * as build from "./build/server/index.js";

const app = express();
app.use(express.static("build/client"));
app.use(createRequestListener({ build }));
app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
