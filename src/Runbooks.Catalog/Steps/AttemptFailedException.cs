namespace Runbooks.Catalog.Steps;

/// <summary>An action could not do its work this time; trying again may help. The message is for people, and never holds a secret.</summary>
public class AttemptFailedException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>
    /// Nothing was changed: the request was never sent, or the other side said that it will not do it. So an action that cannot
    /// be repeated safely may be tried again all the same. Not to be said once any part of the action may have happened.
    /// </summary>
    public bool NothingDone { get; init; }

    /// <summary>Nothing was changed, since somebody else is at work there: the step waits for its turn, and has not failed.</summary>
    public bool IsBusy { get; init; }
}
