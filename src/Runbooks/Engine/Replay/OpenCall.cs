namespace Runbooks.Engine.Replay;

/// <summary>A call that the workflow made and that is not answered yet.</summary>
/// <param name="Command">What was journalled for it.</param>
/// <param name="Answer">Hands the answer to the workflow: within a turn, on its thread.</param>
internal sealed record OpenCall(HistoryEvent Command, Action<HistoryEvent> Answer);
