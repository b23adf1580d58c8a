using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using RunbookServer.Terminal;

namespace RunbookServer.Commands;

/// <summary>Talks to a running host as any other client does: through the outside contract.</summary>
internal sealed class ApiClient(Uri address, string key) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };

    public Uri Address => address;

    public Task<(HttpStatusCode Status, JsonNode? Body)> GetAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellationToken);

    public Task<(HttpStatusCode Status, JsonNode? Body)> PostAsync(string path, string json, CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") }, cancellationToken);

    public void Dispose() => _http.Dispose();

    private async Task<(HttpStatusCode, JsonNode?)> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.Add("X-Api-Key", key);
        try
        {
            using var response = await _http.SendAsync(request, cancellationToken);
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            if (response.StatusCode == HttpStatusCode.Unauthorized)
            {
                throw new CommandException($"{address} refused the key. Name the data folder of the running host with --data, or the key with --key.", ExitCode.Unreachable);
            }

            return (response.StatusCode, Parse(text));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CommandException($"{address} did not answer within {_http.Timeout.TotalSeconds:0} s.", ExitCode.Unreachable);
        }
        catch (HttpRequestException failure)
        {
            throw new CommandException($"Nothing answers at {address}: {failure.Message} Start the host with: dotnet run --project src/RunbookServer", ExitCode.Unreachable);
        }
    }

    private static JsonNode? Parse(string text)
    {
        try
        {
            return text.Length == 0 ? null : JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }
}
