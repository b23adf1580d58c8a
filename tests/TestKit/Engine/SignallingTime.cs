using Microsoft.Extensions.Time.Testing;

namespace TestKit.Engine;

/// <summary>Virtual time that tells when somebody begins to wait, so that a test moves the clock neither too early nor on a guess.</summary>
public sealed class SignallingTime(DateTimeOffset start) : FakeTimeProvider(start)
{
    private readonly Lock _gate = new();
    private readonly List<(TimeSpan Wait, TaskCompletionSource Begun)> _expected = [];

    /// <summary>Done when so many waits of exactly that length have begun from now on.</summary>
    public Task WaitsBeginAsync(TimeSpan wait, int count = 1)
    {
        lock (_gate)
        {
            var begun = Enumerable.Range(0, count).Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).ToList();
            _expected.AddRange(begun.Select(one => (wait, one)));
            return Task.WhenAll(begun.Select(one => one.Task));
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        lock (_gate)
        {
            if (_expected.FindIndex(one => one.Wait == dueTime) is >= 0 and var first)
            {
                _expected[first].Begun.SetResult();
                _expected.RemoveAt(first);
            }
        }

        return timer;
    }
}
