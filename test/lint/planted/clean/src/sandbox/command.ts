import { BlobServiceClient } from "@azure/storage-blob";
import "../compose.ts";
import { Hono } from "hono";

export const app = new Hono();
export const storage = (url: string) => new BlobServiceClient(url);
