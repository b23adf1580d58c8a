using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Runbooks.Sandbox.Tests;

/// <summary>What <c>kubectl</c> posts, byte by byte: the envelope of Kubernetes with the type in field 1 and the object in field 2.</summary>
public sealed class KubernetesProtobufTests : OnVirtualSandbox
{
    private const string Review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

    [Fact]
    public async Task Review_IsAnsweredAsOneInJson()
    {
        await FaultAsync(new { api = "kubernetes", kind = "denied", on = "delete pods" });
        byte[] About(string verb) => Field(2, [.. Field(1, [.. Field(2, verb), .. Field(5, "pods"), .. Number(99, 7), .. Field(98, "unknown")])]);

        (await (await PostAsync(Review, "authorization.k8s.io/v1", "SelfSubjectAccessReview", About("delete"))).Content.ReadAsStringAsync(Cancel)).ShouldContain("\"allowed\":false");
        (await (await PostAsync(Review, "authorization.k8s.io/v1", "SelfSubjectAccessReview", About("get"))).Content.ReadAsStringAsync(Cancel)).ShouldContain("\"allowed\":true");
    }

    [Fact]
    public async Task Eviction_HoldsToThePodItMeans()
    {
        byte[] Of(string uid) => [.. Field(1, Field(1, "llm-b-0")), .. Field(2, [.. Number(1, 30), .. Field(2, Field(1, uid))])];
        var uid = (await JsonAsync("/kubernetes/b/api/v1/namespaces/inference/pods/llm-b-0")).GetProperty("metadata").GetProperty("uid").GetString()!;

        (await PostAsync("/api/v1/namespaces/inference/pods/llm-b-0/eviction", "policy/v1", "Eviction", Of("another"))).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await PostAsync("/api/v1/namespaces/inference/pods/llm-b-0/eviction", "policy/v1", "Eviction", Of(uid))).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task WhatCannotBeRead_IsNoReview()
    {
        (await PostAsync(Review, "v1", "Unknown", [])).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await PostAsync(Review, "authorization.k8s.io/v1", "SelfSubjectAccessReview", Field(2, Field(1, Field(2, "get")))[..^2])).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await PostAsync(Review, [1, 2, 3])).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    private Task<HttpResponseMessage> PostAsync(string path, string version, string kind, byte[] message) =>
        PostAsync(path, [.. "k8s\0"u8, .. Field(1, [.. Field(1, version), .. Field(2, kind)]), .. Field(2, message)]);

    private Task<HttpResponseMessage> PostAsync(string path, byte[] body)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/vnd.kubernetes.protobuf");
        return Http.PostAsync($"/kubernetes/b{path}", content, Cancel);
    }

    private static byte[] Field(int number, string text) => Field(number, Encoding.UTF8.GetBytes(text));

    private static byte[] Field(int number, byte[] content) => [.. Varint((number << 3) | 2), .. Varint(content.Length), .. content];

    private static byte[] Number(int number, int value) => [.. Varint(number << 3), .. Varint(value)];

    private static byte[] Varint(int value) => value < 0x80 ? [(byte)value] : [(byte)(value | 0x80), .. Varint(value >> 7)];
}
