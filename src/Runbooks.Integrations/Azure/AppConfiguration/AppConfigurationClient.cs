using System.Text.Json;
using Azure.Core;
using Microsoft.Extensions.Options;
using Runbooks.Catalog.Steps;

namespace Runbooks.Integrations.Azure.AppConfiguration;

/// <summary>Key-values of Azure App Configuration, changed only where they are still what was read.</summary>
internal sealed class AppConfigurationClient(AzurePipelines pipelines, IOptions<AppConfigurationOptions> options) : ISettings
{
    public const string Role = "App Configuration Data Owner";
    private const string Scope = "https://appconfig.azure.com/.default";
    private const string Version = "2023-11-01";
    private const string Json = "application/vnd.microsoft.appconfig.kv+json";

    /// <exception cref="StepRefusedException">No such store is configured.</exception>
    public SettingAddress Address(string? store, string key, string? label)
    {
        var stores = options.Value.Stores;
        store ??= options.Value.Default ?? (stores.Count == 1 ? stores.Keys.First() : null);
        return store is not null && stores.ContainsKey(store)
            ? new SettingAddress(store, key, label ?? "")
            : throw new StepRefusedException(store is null
                ? $"No App Configuration store is chosen. Set {AppConfigurationOptions.SectionName}:Default, or name a store in the step."
                : $"No App Configuration store is configured as '{store}'. Add {AppConfigurationOptions.SectionName}:Stores:{store}:Endpoint.");
    }

    public string Words(SettingAddress address) => address.ToString();

    public async Task<Setting?> ReadAsync(SettingAddress address, CancellationToken cancellationToken)
    {
        var answer = await SendAsync(address, Call(address, RequestMethod.Get, "read") with { Understood = [404] }, cancellationToken);
        return answer.Status == 404 ? null : Read(answer);
    }

    public async Task<bool> WriteAsync(SettingAddress address, string value, string? contentType, Setting? expected, CancellationToken cancellationToken)
    {
        var call = Call(address, RequestMethod.Put, "set") with
        {
            Body = BinaryData.FromObjectAsJson(new { value, content_type = contentType }),
            ContentType = Json,
            IfMatch = expected?.ETag,
            IfNoneMatch = expected is null ? "*" : null,
            Understood = [409, 412],
        };
        return Changed(address, await SendAsync(address, call, cancellationToken));
    }

    public async Task<bool> DeleteAsync(SettingAddress address, Setting expected, CancellationToken cancellationToken)
    {
        var call = Call(address, RequestMethod.Delete, "delete") with { IfMatch = expected.ETag, Understood = [409, 412] };
        return Changed(address, await SendAsync(address, call, cancellationToken));
    }

    private static bool Changed(SettingAddress address, AzureAnswer answer) => answer.Status == 409
        ? throw new StepRefusedException($"{address} is locked. Nothing was changed; unlock it, or change it by hand.")
        : answer.Status != 412;

    private AzureCall Call(SettingAddress address, RequestMethod method, string verb)
    {
        var root = options.Value.Stores[address.Store].Endpoint.TrimEnd('/');
        var uri = new Uri($"{root}/kv/{Uri.EscapeDataString(address.Key)}?label={Uri.EscapeDataString(address.Label)}&api-version={Version}");
        return new AzureCall(method, uri, $"{verb} {address.Key}", $"App Configuration '{address.Store}'", Role) { Accept = Json };
    }

    private Task<AzureAnswer> SendAsync(SettingAddress address, AzureCall call, CancellationToken cancellationToken) =>
        pipelines.To(new Uri(options.Value.Stores[address.Store].Endpoint), Scope).SendAsync(call, cancellationToken);

    private static Setting Read(AzureAnswer answer)
    {
        using var json = JsonDocument.Parse(answer.Body);
        return new Setting(Text(json, "value") ?? "", Text(json, "content_type"), answer.ETag ?? $"\"{Text(json, "etag")}\"");
    }

    private static string? Text(JsonDocument json, string name) => json.RootElement.TryGetProperty(name, out var text) ? text.GetString() : null;
}
