using k8s.Models;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>What whoever asks may do: everything, but for what was taken away.</summary>
internal sealed class AccessReview(FaultBoard faults)
{
    public const string Evict = "create pods/eviction";
    public const string Delete = "delete pods";

    public bool Denies(string permission) => faults.Denies("kubernetes", permission);

    public IResult Answer(V1SelfSubjectAccessReview? review)
    {
        if (review?.Spec?.ResourceAttributes is not { Verb: { } verb, Resource: { } resource } about)
        {
            return KubernetesStatus.Error(400, "BadRequest", "the review must name a verb and a resource");
        }

        var denied = Denies($"{verb} {resource}{(string.IsNullOrEmpty(about.Subresource) ? "" : $"/{about.Subresource}")}");
        review.Status = new V1SubjectAccessReviewStatus { Allowed = !denied, Reason = denied ? "it was taken away on the practice range" : "" };
        return KubernetesStatus.Object(review, 201);
    }
}
