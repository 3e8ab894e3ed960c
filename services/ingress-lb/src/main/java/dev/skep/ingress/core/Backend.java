package dev.skep.ingress.core;

/** A task as the ingress reaches it: its address on the ingress network and the port inside. */
public record Backend(String taskId, String address, int port) {}
