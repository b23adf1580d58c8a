using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RunbookLocal.Engine;
using Runbooks.Sqlite;
using Runbooks.Engine;
using Runbooks.Engine.Replay;
using TestKit.Engine;

namespace RunbookLocal.Tests.Engine;

/// <summary>The journal engine over a real file and virtual time, which can be killed at any commit and opened again.</summary>
internal sealed class JournalHarness : IEngineHarness
{
    private readonly string _folder = Directory.CreateTempSubdirectory("runbooks-").FullName;
    private readonly WorkflowTable _workflows;
    private readonly ActivityTable _activities;
    private readonly ILoggerFactory _loggers;
    private readonly JournalOptions _options;
    private TaskCompletionSource _killed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _dying;

    private JournalHarness(WorkflowTable workflows, ActivityTable activities, ILoggerFactory? loggers, JournalOptions? options) =>
        (_workflows, _activities, _loggers, _options) = (workflows, activities, loggers ?? NullLoggerFactory.Instance, options ?? new JournalOptions());

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 23, 3, 0, 0, TimeSpan.Zero));

    public SqliteDatabase Database { get; private set; } = null!;

    public JournalEngine Engine { get; private set; } = null!;

    /// <summary>Asked at every commit; true kills the engine there.</summary>
    public Func<WritePoint, bool>? KillAt { get; set; }

    public string DatabasePath => Path.Combine(_folder, "runbooks.db");

    public static async Task<JournalHarness> OpenAsync(
        WorkflowTable workflows, ActivityTable activities, ILoggerFactory? loggers = null, JournalOptions? options = null)
    {
        var harness = new JournalHarness(workflows, activities, loggers, options);
        await harness.OpenAsync();
        return harness;
    }

    public Task StartAsync<TIn>(string workflow, string id, TIn input) => Engine.StartAsync(workflow, id, input);

    public Task RaiseAsync(string id, string name) => Engine.RaiseEventAsync(id, name);

    public Task AdvanceAsync(TimeSpan by) => VirtualTime.AdvanceAsync(Time, by, () => Engine.NextTimer, SettleAsync);

    public Task SettleAsync() => Engine.WhenIdleAsync().WaitAsync(TimeSpan.FromSeconds(30));

    public async Task<EngineEnd> WaitForEndAsync(string id)
    {
        var end = await Engine.WaitForEndAsync(id).WaitAsync(TimeSpan.FromSeconds(30));
        return new EngineEnd(end.Status, Engine.ReadHistory(id)!.Last(line => line.Kind is HistoryKind.ExecutionCompleted or HistoryKind.ExecutionFailed).Data);
    }

    public Task<EngineStatus?> StatusAsync(string id) => Task.FromResult(Engine.Find(id)?.Status);

    public Task<string?> CustomStatusAsync(string id) => Task.FromResult(Engine.Find(id)?.CustomStatus);

    public async Task CrashAsync()
    {
        _dying = true;
        await ReopenAsync();
    }

    /// <summary>Does one step of a story; when the engine is killed meanwhile, opens it again and repeats the step.</summary>
    public async Task DoAsync(Func<JournalHarness, Task> step)
    {
        while (true)
        {
            var doing = step(this);
            if (await Task.WhenAny(doing, _killed.Task) == doing && !_killed.Task.IsCompleted)
            {
                await doing;
                return;
            }

            await ReopenAsync();
        }
    }

    /// <summary>A graceful stop and a new start.</summary>
    public async Task RestartAsync()
    {
        await Engine.StopAsync(CancellationToken.None);
        await ReopenAsync();
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(_dying ? TimeSpan.Zero : TimeSpan.FromSeconds(5));
        await Engine.StopAsync(patience.Token);
        Close();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task ReopenAsync()
    {
        // Opening writes too, and may be killed as well.
        do
        {
            Close();
            _dying = false;
            _killed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await OpenAsync();
        }
        while (_dying);
    }

    private async Task OpenAsync()
    {
        Database = new SqliteDatabase(new SqliteOptions { Path = DatabasePath, Failpoint = Fail }, NullLogger<SqliteDatabase>.Instance);
        Engine = new JournalEngine(Database, _workflows, _activities, _options, Time, _loggers);
        await Task.WhenAny(Engine.StartAsync(CancellationToken.None), _killed.Task);
    }

    private void Close()
    {
        Engine.Dispose();
        Database.Dispose();
    }

    private void Fail(WritePoint point)
    {
        if (_dying || KillAt?.Invoke(point) == true)
        {
            _dying = true;
            _killed.TrySetResult();
            throw new InvalidOperationException("killed");
        }
    }
}
