using System.Text.Json.Nodes;
using Azure.Core;
using Runbooks.Catalog.Steps;

namespace Runbooks.Integrations.Azure;

/// <summary>
/// Resources whose API knows no precondition: one is written whole, and the last writer wins. So one of us writes at a
/// time, it is read again just before, and after it to see that everything is there: done means seen.
/// </summary>
internal sealed class WholeResource(ArmResources arm, ResourceLease lease)
{
    /// <returns>False: nothing had to be changed.</returns>
    /// <exception cref="AzureRequestException">Somebody else changes it at this moment, or it does not show what was written.</exception>
    public Task<bool> ChangeAsync(ArmTarget target, WholeChange change, StepContext context, CancellationToken cancellationToken) =>
        lease.HoldAsync(target.Id, target.Words, context, () => ChangeAloneAsync(target, change, context.Time, cancellationToken), cancellationToken);

    /// <summary>Those parts of a resource as it was read that a PUT takes, without what only the service says.</summary>
    public static JsonObject Written(JsonObject resource, ReadOnlySpan<string> parts, ReadOnlySpan<string> readOnlyProperties)
    {
        var written = new JsonObject();
        foreach (var part in parts)
        {
            if (resource[part] is { } value)
            {
                written[part] = value.DeepClone();
            }
        }

        foreach (var property in readOnlyProperties)
        {
            (written["properties"] as JsonObject)?.Remove(property);
        }

        return written;
    }

    private async Task<bool> ChangeAloneAsync(ArmTarget target, WholeChange change, TimeProvider time, CancellationToken cancellationToken)
    {
        var resource = (await arm.GetAsync(target, cancellationToken)).Json;
        var before = change.ToWrite(resource).ToJsonString();
        if (!change.Make(resource))
        {
            return false;
        }

        var wanted = change.ToWrite(resource);
        if (change.ToWrite((await arm.GetAsync(target, cancellationToken)).Json).ToJsonString() != before)
        {
            throw new AzureRequestException($"{target.Words} is being changed by somebody else at this moment. Nothing was written.");
        }

        return await arm.WriteAsync(arm.Call(target, RequestMethod.Put, change.What, wanted), IsSeenAsync, time, cancellationToken)
            ? true
            : throw new AzureRequestException($"{target.Words} was changed by somebody else at the same moment: it does not hold what was written. Look at it.");

        async Task<bool> IsSeenAsync() => change.IsSeen(change.ToWrite(await arm.GetProvisionedAsync(target, change.What, time, cancellationToken)), wanted);
    }
}

/// <summary>One change of a resource that is written whole.</summary>
/// <param name="What">In words, for errors: <c>add the rule x to it</c>.</param>
/// <param name="ToWrite">What a PUT takes of the resource as it was read: what is only readable stays away.</param>
/// <param name="Make">Changes the resource as it was read; false when nothing has to be changed.</param>
/// <param name="IsSeen">Whether what is read afterwards shows what was wanted; both as a PUT takes them.</param>
internal sealed record WholeChange(string What, Func<JsonObject, JsonObject> ToWrite, Func<JsonObject, bool> Make, Func<JsonObject, JsonObject, bool> IsSeen);
