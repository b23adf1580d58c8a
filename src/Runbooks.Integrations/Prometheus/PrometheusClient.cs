using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Runbooks.Integrations.Prometheus;

/// <summary>The query API of Prometheus and everything that speaks it.</summary>
/// <seealso href="https://prometheus.io/docs/prometheus/latest/querying/api/"/>
internal sealed class PrometheusClient(IHttpClientFactory clients, IOptions<PrometheusOptions> options)
{
    public const string Client = "prometheus";

    public (string Name, PrometheusEndpoint Endpoint) Find(string? name)
    {
        var endpoints = options.Value.Endpoints;
        name ??= options.Value.Default ?? (endpoints.Count == 1 ? endpoints.Keys.First() : null);
        return name is not null && endpoints.TryGetValue(name, out var endpoint)
            ? (name, endpoint)
            : throw new PrometheusException(name is null
                ? $"No Prometheus is chosen. Set {PrometheusOptions.SectionName}:Default, or name an endpoint in the check."
                : $"No Prometheus is configured as '{name}'. Add {PrometheusOptions.SectionName}:Endpoints:{name}:Url.");
    }

    public Task<IReadOnlyList<PrometheusSeries>> QueryAsync(string? endpoint, string query, CancellationToken cancellationToken) =>
        AskAsync(endpoint, $"api/v1/query?query={Uri.EscapeDataString(query)}", cancellationToken);

    public Task<IReadOnlyList<PrometheusSeries>> RangeAsync(
        string? endpoint, string query, DateTimeOffset start, DateTimeOffset end, TimeSpan step, CancellationToken cancellationToken) =>
        AskAsync(
            endpoint,
            string.Create(CultureInfo.InvariantCulture, $"api/v1/query_range?query={Uri.EscapeDataString(query)}&start={start.ToUnixTimeSeconds()}&end={end.ToUnixTimeSeconds()}&step={step.TotalSeconds:0}"),
            cancellationToken);

    private async Task<IReadOnlyList<PrometheusSeries>> AskAsync(string? endpointName, string path, CancellationToken cancellationToken)
    {
        var (name, endpoint) = Find(endpointName);
        using var request = new HttpRequestMessage(HttpMethod.Get, endpoint.Url.TrimEnd('/') + "/" + path);
        if (endpoint.Token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", endpoint.Token);
        }

        try
        {
            using var answer = await clients.CreateClient(Client).SendAsync(request, cancellationToken);
            return await ReadAsync(name, answer, cancellationToken);
        }
        catch (Exception unreachable) when (unreachable is HttpRequestException or Polly.ExecutionRejectedException)
        {
            throw new PrometheusException($"Prometheus '{name}' cannot be reached: {unreachable.Message}", unreachable);
        }
    }

    private static async Task<IReadOnlyList<PrometheusSeries>> ReadAsync(string name, HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var text = await answer.Content.ReadAsStringAsync(cancellationToken);
        try
        {
            using var json = JsonDocument.Parse(text);
            if (json.RootElement.TryGetProperty("status", out var status) && status.GetString() == "success")
            {
                return PrometheusSeries.Read(json.RootElement.GetProperty("data"));
            }

            var error = json.RootElement.TryGetProperty("error", out var message) ? message.GetString() : null;
            throw new PrometheusException($"Prometheus '{name}' answered {(int)answer.StatusCode}: {Cut(error ?? text)}");
        }
        catch (Exception odd) when (odd is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new PrometheusException(Words(name, answer.StatusCode, text), odd);
        }
    }

    private static string Words(string name, HttpStatusCode status, string text) => status switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden =>
            $"Prometheus '{name}' answered {(int)status}: this identity may not query it (on Azure it needs the role Monitoring Data Reader). {Cut(text)}",
        _ => $"Prometheus '{name}' answered {(int)status}, and not as its API does: {Cut(text)}",
    };

    private static string Cut(string text) => text.Length <= 300 ? text.Trim() : text[..300].Trim() + "…";
}
