using RunbookServer.Samples;
using Runbooks.Intake;
using Runbooks.Intake.Parsing;
using Runbooks.Web.Access;
using Runbooks.Web.Http;
using Runbooks.Web.SignIn;

namespace RunbookServer.Practice;

/// <summary>
/// <c>/sandbox</c> and its forms, and <c>POST /api/sandbox/reset</c>: fire a sample, break the sandbox and heal it. In practice only.
/// </summary>
internal sealed class SandboxHandler(
    SandboxClient sandbox, AlertReader reader, IncidentIntake intake, TimeProvider time, HttpRequestRunner runner)
{
    public const string Address = "/sandbox";

    public Task<IResult> ShowAsync(HttpRequest request) => runner.RunAsync(
        request, cancellationToken => PageAsync(null, StatusCodes.Status200OK, cancellationToken), Caller.Person);

    public Task<IResult> FireAsync(HttpRequest request) => FormAsync(request, async (form, cancellationToken) =>
    {
        if (SampleAlerts.Names.FirstOrDefault(name => name == form["sample"]) is not { } name)
        {
            return await PageAsync("There is no such sample.", StatusCodes.Status400BadRequest, cancellationToken);
        }

        var (source, body) = SampleAlerts.Read(name, null, sandbox.Address);
        var outcomes = await intake.ReceiveAsync(reader.Read(source, body).Alerts, cancellationToken);
        return outcomes.FirstOrDefault(outcome => outcome.Id is not null) is { Id: { } incident }
            ? new SeeOther($"/incidents/{Uri.EscapeDataString(incident)}")
            : await PageAsync(NothingOpened(outcomes), StatusCodes.Status200OK, cancellationToken);
    });

    private static string NothingOpened(IEnumerable<IntakeOutcome> outcomes) =>
        $"Nothing was opened. {string.Join(" ", outcomes.Select(outcome => outcome.Reason))}";

    public Task<IResult> TurnAsync(HttpRequest request) => FormAsync(request, (form, cancellationToken) =>
        DoAsync(() => sandbox.TurnAsync(form["name"].ToString(), form["turn"] == "break", cancellationToken), cancellationToken));

    public Task<IResult> ResetAsync(HttpRequest request) => FormAsync(request, (_, cancellationToken) =>
        DoAsync(() => sandbox.ResetAsync(cancellationToken), cancellationToken));

    public Task<IResult> ResetByApiAsync(HttpRequest request) => runner.RunAsync(request, async cancellationToken =>
    {
        try
        {
            await sandbox.ResetAsync(cancellationToken);
            return ApiResults.Json(new { message = "The sandbox is as at the start." });
        }
        catch (Exception silent) when (IsSilence(silent, cancellationToken))
        {
            return ApiResults.Problem(StatusCodes.Status503ServiceUnavailable, NoAnswer);
        }
    });

    private const string NoAnswer = "The sandbox does not answer.";

    private Task<IResult> FormAsync(HttpRequest request, Func<IFormCollection, CancellationToken, Task<IResult>> work) =>
        runner.RunAsync(request, cancellationToken => OnFormAsync(request, work, cancellationToken), Caller.Person);

    private static async Task<IResult> OnFormAsync(
        HttpRequest request, Func<IFormCollection, CancellationToken, Task<IResult>> work, CancellationToken cancellationToken)
    {
        if (!SameOrigin.Allows(request))
        {
            return MessageResult.FromAnotherSite("Nothing was done");
        }

        return await FormFields.ReadAsync(request, cancellationToken) is { } form
            ? await work(form, cancellationToken)
            : MessageResult.Of(
                StatusCodes.Status400BadRequest, "Nothing was done", "This is no form of the page about the sandbox.", home: true);
    }

    private async Task<IResult> DoAsync(Func<Task> work, CancellationToken cancellationToken)
    {
        try
        {
            await work();
            return new SeeOther(Address);
        }
        catch (Exception silent) when (IsSilence(silent, cancellationToken))
        {
            return await PageAsync("Nothing was changed.", StatusCodes.Status503ServiceUnavailable, cancellationToken);
        }
    }

    private async Task<IResult> PageAsync(string? notice, int status, CancellationToken cancellationToken)
    {
        IReadOnlyList<SandboxTrouble>? troubles = null;
        try
        {
            troubles = await sandbox.TroublesAsync(cancellationToken);
        }
        catch (Exception silent) when (IsSilence(silent, cancellationToken))
        {
            // The page says so.
        }

        return new PageResult<SandboxPage>(new { Troubles = troubles, Notice = notice, Now = time.GetUtcNow() }, status);
    }

    private static bool IsSilence(Exception failure, CancellationToken cancellationToken) =>
        failure is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested;
}

internal static class PracticeRoutes
{
    public static void MapPractice(this IEndpointRouteBuilder app)
    {
        app.MapGet(SandboxHandler.Address, (HttpRequest request, SandboxHandler handler) => handler.ShowAsync(request))
            .PageNeeds(Role.Viewer);
        app.MapPost($"{SandboxHandler.Address}/fire", (HttpRequest request, SandboxHandler handler) => handler.FireAsync(request))
            .PageNeeds(Role.Operator);
        app.MapPost($"{SandboxHandler.Address}/troubles", (HttpRequest request, SandboxHandler handler) => handler.TurnAsync(request))
            .PageNeeds(Role.Operator);
        app.MapPost($"{SandboxHandler.Address}/reset", (HttpRequest request, SandboxHandler handler) => handler.ResetAsync(request))
            .PageNeeds(Role.Operator);
        app.MapPost("/api/sandbox/reset", (HttpRequest request, SandboxHandler handler) => handler.ResetByApiAsync(request))
            .Needs(Role.Operator);
    }
}

/// <summary>Reads and turns the sandbox's troubles through its HTTP endpoints, since it may belong to another process.</summary>
internal sealed class SandboxClient(Uri sandbox) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = sandbox, Timeout = TimeSpan.FromSeconds(5) };

    public Uri Address => sandbox;

    /// <exception cref="HttpRequestException">The sandbox does not answer.</exception>
    public async Task<IReadOnlyList<SandboxTrouble>> TroublesAsync(CancellationToken cancellationToken) =>
        await _http.GetFromJsonAsync<List<SandboxTrouble>>("/_sandbox/troubles", cancellationToken) ?? [];

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

public sealed record SandboxTrouble(string Name, string What, bool On);
