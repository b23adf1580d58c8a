using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Core;
using Microsoft.Extensions.Options;
using Runbooks.Catalog.Steps;

namespace Runbooks.Integrations.Azure;

/// <summary>Resources of Azure Resource Manager: read, changed, told to do something.</summary>
internal sealed class ArmResources(AzurePipelines pipelines, IOptions<AzureOptions> options)
{
    private readonly Uri _endpoint = new(options.Value.ManagementEndpoint);

    /// <exception cref="StepRefusedException">There is no such resource, or the role is missing.</exception>
    public async Task<ArmDocument> GetAsync(ArmTarget target, CancellationToken cancellationToken)
    {
        var answer = await Caller.SendAsync(Call(target, RequestMethod.Get, "read it") with { Understood = [404] }, cancellationToken);
        return answer.Status == 404
            ? throw new StepRefusedException($"There is no {target.Words}.")
            : new ArmDocument(ReadObject(target, answer.Body), answer.ETag);
    }

    /// <summary>Asks Azure whether this identity may do an operation on the resource.</summary>
    /// <param name="operation">As roles name it: <c>Microsoft.Web/sites/restart/action</c>.</param>
    /// <returns>What is lacking, in words; null when nothing is, or when Azure does not tell.</returns>
    public async Task<string?> FindLackAsync(ArmTarget target, string operation, CancellationToken cancellationToken)
    {
        try
        {
            var call = Call(target with { ApiVersion = ArmPermissions.ApiVersion }, RequestMethod.Get, "read its permissions", below: ArmPermissions.Path);
            var answer = ReadObject(target, (await Caller.SendAsync(call, cancellationToken)).Body);
            return ArmPermissions.MayAllow(answer, operation)
                ? null
                : $"This identity lacks the role {target.Role} on {target.Words}: it may not do {operation} there.";
        }
        catch (Exception unknown) when (unknown is StepRefusedException or AzureCallException)
        {
            return null;
        }
    }

    /// <summary>Sends, and returns once the operation has ended well.</summary>
    public Task<AzureAnswer> SendAsync(AzureCall call, TimeProvider time, CancellationToken cancellationToken) =>
        Caller.SendToEndAsync(call, time, cancellationToken);

    /// <param name="what">In words, for errors: <c>restart it</c>.</param>
    /// <param name="below">Added to the resource's path, for example <c>/restart</c>.</param>
    /// <param name="query">Added to the api-version, beginning with an ampersand.</param>
    public AzureCall Call(ArmTarget target, RequestMethod method, string what, JsonNode? body = null, string below = "", string query = "") =>
        new(method, new Uri($"{_endpoint.ToString().TrimEnd('/')}{target.Id}{below}?api-version={target.ApiVersion}{query}"), what, target.Words, target.Role)
        {
            Body = body is null ? null : BinaryData.FromString(body.ToJsonString()),
        };

    /// <exception cref="AzureCallException">The answer is not JSON.</exception>
    public static JsonObject ReadObject(ArmTarget target, BinaryData body)
    {
        try
        {
            return JsonNode.Parse(body)?.AsObject() ?? throw new JsonException();
        }
        catch (Exception odd) when (odd is JsonException or InvalidOperationException)
        {
            throw new AzureCallException($"{target.Words} answered with something that is not a JSON object.", inner: odd);
        }
    }

    private AzureCaller Caller => pipelines.ToManagement(_endpoint);
}

/// <summary>A resource as it was read.</summary>
internal sealed record ArmDocument(JsonObject Json, string? ETag)
{
    public JsonObject Properties => Json["properties"] as JsonObject ?? [];

    public string? Text(string property) => Properties[property] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
