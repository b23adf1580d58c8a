using System.Text.Json;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Integrations.Tests.Azure;

/// <summary>
/// Incidents that begin and end on one value in any order, and in the middle of one another: at each read and write another one
/// may have its turn, and a host may die there and the step be tried again.
/// </summary>
public sealed class HeldValuesOrderTests
{
    private const string Before = "before";
    private static readonly Runbook s_lease = Leased(Given.Runbook());

    public static TheoryData<bool, bool> Worlds => new() { { false, false }, { false, true }, { true, false }, { true, true } };

    private static Runbook Leased(Runbook runbook) => runbook with { Mitigation = runbook.Mitigation with { HoldUntil = new(["stuck"], TimeSpan.Zero, TimeSpan.MaxValue, TimeSpan.FromSeconds(30)) } };

    /// <param name="isSame">All put the same there, as a flag is switched on; otherwise each its own, as with a banner.</param>
    /// <param name="dies">Hosts die in between.</param>
    [Theory, MemberData(nameof(Worlds))]
    public void WhateverTheOrder_TheLastOneToEndBringsBackWhatWasThereBeforeTheFirst(bool isSame, bool dies)
    {
        for (var round = 0; round < Rounds.Of(400); round++)
        {
            var seed = Rounds.Seed();
            var world = new World(seed, isSame, dies);
            world.Run(2 + (seed % 3));
            world.Value.ShouldBe(Before, $"seed {seed}\n{world.Story}");
        }
    }

    /// <summary>One value, what is noted of it, and those that change it; who has the next turn is drawn by lot.</summary>
    private sealed class World(int seed, bool isSame, bool dies) : TimeProvider, ISharedState, IIncidentStore
    {
        private readonly Random _random = new(seed);
        private readonly List<TaskCompletionSource> _waiting = [];
        private readonly Dictionary<string, string> _documents = [];
        private readonly Dictionary<string, Incident> _incidents = [];
        private readonly List<string> _story = [];
        private readonly HashSet<string> _inPlace = [];
        private readonly AsyncLocal<Life?> _life = new();
        private int _version;

        public string Value { get; private set; } = Before;

        public string Story => string.Join("\n", _story);

        public void Run(int incidents)
        {
            List<Task> all = [.. Enumerable.Range(0, incidents).Select(number => LiveAsync(((char)('a' + number)).ToString()))];
            while (all.Exists(one => !one.IsCompleted))
            {
                var next = _waiting[_random.Next(_waiting.Count)];
                _waiting.Remove(next);
                next.SetResult();
                if (isSame && _inPlace.Count > 0)
                {
                    Value.ShouldBe("on", $"it is taken away from {string.Join(", ", _inPlace)}: seed {seed}\n{Story}");
                }
            }

            Task.WhenAll(all).GetAwaiter().GetResult();
        }

        private Task TurnAsync()
        {
            if (_life.Value is { } life && life.Ends())
            {
                return new TaskCompletionSource().Task;
            }

            var turn = new TaskCompletionSource();
            _waiting.Add(turn);
            return turn.Task;
        }

        private async Task LiveAsync(string incident)
        {
            await TurnAsync();
            var (found, wanted) = (Value, isSame ? "on" : incident);
            _incidents[incident] = Given.Incident(s_lease, incident).BeginStep(Given.Step("step"), Phase.Mitigation, "mitigation-1", new() { PlannedEffect = "", UndoState = JsonSerializer.SerializeToElement(found) }, GetUtcNow());
            _story.Add($"{incident} is about to make {wanted} of {found}");
            var (held, value) = (new HeldValues(this, this, new ResourceLease(this)), new HeldValue("The value"));
            var (began, isDone) = await TryAsync($"{incident}:mitigation:step", context => held.HoldAsync(value, found, wanted, () => WriteAsync(found, wanted), context, default));
            _story.Add($"{incident} began: {began}");
            if (isDone)
            {
                _inPlace.Add(incident);
            }

            for (var pause = _random.Next(30); pause > 0; pause--)
            {
                await TurnAsync();
            }

            _incidents[incident] = _incidents[incident] with { UndoBeganAt = GetUtcNow() };
            _inPlace.Remove(incident);
            var (ended, isTold) = await TryAsync($"{incident}:mitigation:step:undo", async context =>
                (await held.ReleaseAsync(value, found, ReadAsync, (one, now) => one == now, async (before, _) => await WriteAsync(wanted, before) ? "taken back" : "as before", context, default)).Result);
            _story.Add($"{incident} ended: {ended}");

            // Where a host dies between taking back and noting it, and another one ends meanwhile, a person may be told although the value is right.
            (isTold || !isDone || dies).ShouldBeTrue($"nobody else has changed it: seed {seed}\n{Story}");
            _incidents[incident] = _incidents[incident] with { State = IncidentState.Resolved };
        }

        private async Task<string> ReadAsync()
        {
            await TurnAsync();
            return Value;
        }

        /// <summary>As the actions write: only where it is still as it was found, and nothing where it is so already.</summary>
        private async Task<bool> WriteAsync(string from, string to)
        {
            await TurnAsync();
            var (now, version) = (Value, _version);
            if (now == to)
            {
                return false;
            }

            if (now != from)
            {
                throw new ChangedSinceException($"left alone, since it is {now}");
            }

            await TurnAsync();
            if (version != _version)
            {
                throw new AzureRequestException("changed at this moment");
            }

            (Value, _version) = (to, version + 1);
            _story.Add($"  it is {to} now");
            await TurnAsync();
            return true;
        }

        /// <summary>As a step is run: again when its host died or it failed, and not when it was refused.</summary>
        private async Task<(string Result, bool IsDone)> TryAsync<T>(string key, Func<StepContext, Task<T>> work)
        {
            var context = new StepContext { IncidentId = key[..1], RunbookId = "", Target = "", IdempotencyKey = key, Evidence = null!, Time = this };
            for (; ; context = context with { Interrupted = _incidents[context.IncidentId].Steps[0].Preparation })
            {
                var life = new Life(dies && _random.Next(2) == 0 ? _random.Next(20) : int.MaxValue);
                try
                {
                    var attempt = AttemptAsync(life);
                    if (await Task.WhenAny(attempt, life.Over) == attempt)
                    {
                        return ($"{await attempt}", true);
                    }

                    _story.Add($"  {key}: its host died");
                }
                catch (AzureRequestException again)
                {
                    _story.Add($"  {key}: {again.Message}");
                }
                catch (StepRefusedException refused)
                {
                    return (refused.Message, false);
                }
            }

            async Task<T> AttemptAsync(Life life)
            {
                _life.Value = life;
                var result = await work(context);

                // It may die before its outcome is on record.
                await TurnAsync();
                return result;
            }
        }

        public override DateTimeOffset GetUtcNow() => Given.Night;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _ = FireAsync();
            return new System.Threading.Timer(_ => { });

            async Task FireAsync()
            {
                await TurnAsync();
                callback(state);
            }
        }

        async Task<T?> ISharedState.FindAsync<T>(string key, CancellationToken cancellationToken)
            where T : class
        {
            await TurnAsync();
            return Read<T>(key);
        }

        public async Task<(T Document, TResult Result)> UpdateAsync<T, TResult>(string key, Func<T?, (T, TResult)> change, CancellationToken cancellationToken)
            where T : class
        {
            await TurnAsync();
            var (after, result) = change(Read<T>(key));
            _documents[key] = JsonSerializer.Serialize(after);
            await TurnAsync();
            return (after, result);
        }

        public async Task RemoveAsync<T>(string key, Func<T, bool> when, CancellationToken cancellationToken)
            where T : class
        {
            await TurnAsync();
            if (Read<T>(key) is { } known && when(known))
            {
                _documents.Remove(key);
            }
        }

        private T? Read<T>(string key)
            where T : class => _documents.TryGetValue(key, out var json) ? JsonSerializer.Deserialize<T>(json) : null;

        async Task<Incident?> IIncidentStore.FindAsync(string id, CancellationToken cancellationToken)
        {
            await TurnAsync();
            return _incidents[id];
        }

        public Task<Runbook?> FindRunbookAsync(string hash, CancellationToken cancellationToken) => Task.FromResult<Runbook?>(s_lease);

        public Task<OpenResult> OpenAsync(Incident candidate, Runbook runbook, Func<Incident, Incident?> fold, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<Incident?> FindLatestAsync(string runbookId, string targetKey, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<IncidentSummary>> FindByAlertAsync(string identity, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<(Incident Incident, T Result)> UpdateAsync<T>(string id, Func<Incident, (Incident, T)> change, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IncidentPage> ListAsync(IncidentQuery query, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyDictionary<IncidentState, int>?> CountAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<string>> PurgeAsync(DateTimeOffset endedBefore, Func<string, CancellationToken, Task<bool>> removeRest, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<string?> CheckHealthAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
    }

    /// <summary>What a host comes to do before it dies.</summary>
    private sealed class Life(int turns)
    {
        private readonly TaskCompletionSource _over = new();
        private int _left = turns;

        public Task Over => _over.Task;

        public bool Ends()
        {
            if (_left-- > 0)
            {
                return false;
            }

            _over.TrySetResult();
            return true;
        }
    }
}
