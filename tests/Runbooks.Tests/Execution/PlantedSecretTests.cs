using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Execution;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Tests.Execution;

/// <summary>Secrets that are planted where secrets may be, and what nobody sees, looked for wherever anything comes out.</summary>
public sealed class PlantedSecretTests : IAsyncDisposable
{
    private const string Password = "correct horse/battery+staple";
    private const string Planted = "PLANTED-d41d8cd98f00b204";

    /// <summary>Turns the text round, colours a terminal, and hides itself.</summary>
    private const string Unseen = "\u202E\u001B\u200B";

    /// <summary>Without what only a parameter's own declaration tells to be a secret.</summary>
    private static readonly string s_unnamed =
        $"{Unseen}GET https://user:{Planted}@host/x?a=1&sig={Planted}&b=2 failed; Authorization: Bearer {Planted}{Planted}; AccountKey={Planted};"
        + $" {{\"client_secret\": \"{Planted}\"}} https://hooks.example/in?code={Planted} logged in with";

    private static readonly string s_noise = $"{s_unnamed} {Password} and {Uri.EscapeDataString(Password)}";

    private readonly Pen _log = new();
    private readonly IncidentWorld _world;

    public PlantedSecretTests() => _world = new IncidentWorld(configure: services => services
        .AddLogging(logging => logging.AddProvider(_log).SetMinimumLevel(LogLevel.Trace))
        .AddSingleton<ICheck, TalkativeCheck>()
        .AddSingleton<IAction, TalkativeAction>());

    [Theory]
    [InlineData("before")]
    [InlineData("after")]
    [InlineData("undo")]
    [InlineData("check")]
    [InlineData("channel")]
    public async Task SecretAnywhere_ComesOutNowhere(string where)
    {
        var runbook = Given.Runbook() with
        {
            Diagnosis = [.. Given.Runbook().Diagnosis, Given.Check("talk") with { Check = "script.talk" }],
            Mitigation = Given.Runbook().Mitigation with { Steps = [Given.Step("fix", with: new { name = "fix", password = Password })], Verify = new(["stuck"], TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(1)) },
        };
        var failure = new IOException(s_noise, new InvalidOperationException(s_noise));
        _world.Script.BeforeActing = _ => where == "before" ? failure : null;
        _world.Script.AfterActing = _ => where == "after" ? failure : null;
        _world.Script.BeforeUndoing = _ => where == "undo" ? new IOException(s_unnamed) : null;
        _world.Notifier.Failure = to => where == "channel" && to == "oncall" ? new IOException(s_unnamed) : null;

        var opened = await _world.OpenAsync(runbook);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(15));

        incident.State.ShouldBe(IncidentState.Failed);
        var pinned = await _world.Store.FindRunbookAsync(runbook.Hash, CancellationToken.None);
        pinned.ShouldNotBeNull();
        Clean("record", JsonSerializer.Serialize(incident));
        Seen("record", JsonSerializer.Serialize(incident));
        Seen("audit", string.Concat(AuditTrail.Export(incident)));
        Clean("cards", JsonSerializer.Serialize(_world.Notifier.Sent.Select(sent => sent.Card)));
        Clean("audit", string.Concat(AuditTrail.Export(incident)));
        Clean("log", string.Join('\n', _log.Lines));

        // The history begins with the runbook file itself, whose author wrote the password into it.
        Clean("history", string.Concat((await _world.Engine.HistoryAsync(incident.Id)).Select(happened => System.Text.Json.JsonSerializer.Serialize(happened, happened.GetType()))));
    }

    /// <summary>As http.request does: nothing of a body is declared secret, and its keys say what is.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SecretOfABody_IsHiddenInWhatIsDoneAndInHowItIsUndone(bool refuses)
    {
        var with = new { refuses, url = $"https://host/hook?sig={Planted}", body = new { routing_key = Planted, more = new[] { new { password = Planted, text = s_unnamed } } } };
        var runbook = Given.Runbook() with { Mitigation = Given.Runbook().Mitigation with { Steps = [Given.Step("fix", "script.send", with)] } };

        var opened = await _world.OpenAsync(runbook);

        var step = opened.LatestGate!.Plan.Steps[0];
        const string Shown = "{\"routing_key\":\"•••\"";
        (step.PlannedEffect.Contains(Shown, StringComparison.Ordinal), step.Undo!.Contains(Shown, StringComparison.Ordinal)).ShouldBe((true, true));
        step.Parameters.GetProperty("body").GetProperty("routing_key").GetString().ShouldBe("•••");
        var incident = refuses ? opened : (await _world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident;
        (incident.State == IncidentState.Failed, incident.Steps.Count).ShouldBe((refuses, refuses ? 0 : 1));
        Clean("record", JsonSerializer.Serialize(incident));
        Clean("cards", JsonSerializer.Serialize(_world.Notifier.Sent.Select(sent => sent.Card)));
        Clean("audit", string.Concat(AuditTrail.Export(incident)));
    }

    [Fact]
    public async Task SecretInEvidence_IsNotKept()
    {
        var context = _world.Get<StepContextFactory>().For(Given.Incident(Given.Runbook()), "key");
        await using var log = new MemoryStream(System.Text.Encoding.UTF8.GetBytes($"GPU at 97 % — ☠\r\n{s_unnamed}\n\nlast line"));

        var reference = await context.Evidence.SaveAsync("i", "pod.log", log, CancellationToken.None);

        using var kept = new StreamReader((await context.Evidence.OpenAsync(reference, CancellationToken.None))!);
        var lines = (await kept.ReadToEndAsync(TestContext.Current.CancellationToken)).Split('\n');
        (lines[0], lines[2], lines[3], lines.Length).ShouldBe(("GPU at 97 % — ☠", "", "last line", 5));
        Clean("evidence", lines[1]);
    }

    /// <summary>A manifest or a file of settings that a program prints: the name stands on the line before.</summary>
    [Theory]
    [InlineData($"- name: DB_PASSWORD\n  value: {Planted}", "- name: DB_PASSWORD\n  value: •••")]
    [InlineData($"  \"name\": \"API_KEY\",\n  \"value\": \"{Planted}\"", "  \"name\": \"API_KEY\",\n  \"value\": \"•••\"")]
    [InlineData($"password: |\n  {Planted}", "password: |\n  •••")]
    [InlineData("waiting for a token:\nvalue 2026-11-24T03:12:05Z read\nDB_PASSWORD=\nPATH=/usr/local/bin", "waiting for a token:\nvalue 2026-11-24T03:12:05Z read\nDB_PASSWORD=\nPATH=/usr/local/bin")]
    public async Task SecretBelowItsName_IsNotKeptInEvidence(string text, string kept)
    {
        var context = _world.Get<StepContextFactory>().For(Given.Incident(Given.Runbook()), "key");
        await using var log = new MemoryStream(System.Text.Encoding.UTF8.GetBytes($"starting\n{text}\nready"));

        var reference = await context.Evidence.SaveAsync("i", "pod.log", log, CancellationToken.None);

        using var read = new StreamReader((await context.Evidence.OpenAsync(reference, CancellationToken.None))!);
        (await read.ReadToEndAsync(TestContext.Current.CancellationToken)).ShouldBe($"starting\n{kept}\nready\n");
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private static void Clean(string output, string text)
    {
        text.ShouldNotContain(Planted, Case.Sensitive, $"in the {output}");
        text.ShouldNotContain(Password, Case.Sensitive, $"in the {output}");
        text.ShouldNotContain(Uri.EscapeDataString(Password), Case.Sensitive, $"in the {output}");
    }

    private static void Seen(string output, string json)
    {
        foreach (var letter in Unseen)
        {
            json.ShouldNotContain($"\\u{(int)letter:X4}", Case.Insensitive, $"in the {output}");
            json.ShouldNotContain($"{letter}", Case.Sensitive, $"in the {output}");
        }
    }

    private sealed record Request([HttpUrl] string Url, JsonObject Body, bool Refuses);

    private sealed class TalkativeAction() : RunbookAction<Request>("script.send", "Says all that it sends.")
    {
        public override bool Reversible => true;

        protected override Task<Preparation> PrepareAsync(Request parameters, StepContext context, CancellationToken cancellationToken)
        {
            var words = parameters.Body.ToJsonString();
            return Task.FromResult(new Preparation { PlannedEffect = $"Send {words}", Undo = $"Send {words}", Refusal = parameters.Refuses ? $"Not with {words}" : null });
        }

        protected override Task<ActionResult> ApplyAsync(Request parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken) => Task.FromResult(new ActionResult("Sent."));
    }

    private sealed class TalkativeCheck() : Check<ScriptedCheckParameters>("script.talk", "Fails and says too much.")
    {
        protected override Task<CheckResult> AskAsync(ScriptedCheckParameters parameters, StepContext context, CancellationToken cancellationToken) =>
            throw new IOException(s_unnamed);
    }

    private sealed class Pen : ILoggerProvider, ILogger
    {
        public System.Collections.Concurrent.ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
