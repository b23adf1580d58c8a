using System.Net.Http.Json;

namespace RunbookServer.Practice;

/// <summary>Looks at the sandbox's troubles and turns them, over its own HTTP endpoints: it may belong to another process.</summary>
internal sealed class SandboxClient(Uri sandbox) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = sandbox, Timeout = TimeSpan.FromSeconds(5) };

    /// <exception cref="HttpRequestException">The sandbox does not answer.</exception>
    public async Task<IReadOnlyList<SandboxTrouble>> TroublesAsync(CancellationToken cancellationToken) =>
        await _http.GetFromJsonAsync<List<SandboxTrouble>>("/_sandbox/troubles", cancellationToken) ?? [];

    /// <summary>As everything is at the start.</summary>
    /// <inheritdoc cref="TroublesAsync"/>
    public Task ResetAsync(CancellationToken cancellationToken) => PostAsync("/_sandbox/reset", cancellationToken);

    /// <inheritdoc cref="TroublesAsync"/>
    public Task TurnAsync(string trouble, bool broken, CancellationToken cancellationToken) =>
        PostAsync($"/_sandbox/troubles/{Uri.EscapeDataString(trouble)}/{(broken ? "break" : "heal")}", cancellationToken);

    public void Dispose() => _http.Dispose();

    private async Task PostAsync(string path, CancellationToken cancellationToken)
    {
        using var answer = await _http.PostAsync(path, null, cancellationToken);
        answer.EnsureSuccessStatusCode();
    }
}

/// <param name="What">What is wrong, in words.</param>
/// <param name="On">Whether it is broken.</param>
public sealed record SandboxTrouble(string Name, string What, bool On);
