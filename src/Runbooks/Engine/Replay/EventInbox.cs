namespace Runbooks.Engine.Replay;

/// <summary>
/// Which calls wait for which event, longest first, and which events came before anybody waited. Names are
/// case-insensitive.
/// </summary>
internal sealed class EventInbox
{
    private readonly Dictionary<string, List<int>> _waiting = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, int> _early = new(StringComparer.OrdinalIgnoreCase);

    public void Wait(string name, int task)
    {
        if (!_waiting.TryGetValue(name, out var line))
        {
            _waiting[name] = line = [];
        }

        line.Add(task);
    }

    public void Leave(string name, int task)
    {
        if (_waiting.TryGetValue(name, out var line) && line.Remove(task) && line.Count == 0)
        {
            _waiting.Remove(name);
        }
    }

    /// <summary>The call that waited longest; null when none waits, and then the event is kept.</summary>
    public int? Raise(string name)
    {
        if (!_waiting.TryGetValue(name, out var line))
        {
            _early[name] = _early.GetValueOrDefault(name) + 1;
            return null;
        }

        var first = line[0];
        Leave(name, first);
        return first;
    }

    /// <summary>True when an event of that name came early; it is used up.</summary>
    public bool TakeEarly(string name)
    {
        if (!_early.TryGetValue(name, out var count))
        {
            return false;
        }

        if (count == 1)
        {
            _early.Remove(name);
        }
        else
        {
            _early[name] = count - 1;
        }

        return true;
    }
}
